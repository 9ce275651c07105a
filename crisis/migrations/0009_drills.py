from django.db import migrations, models


class Migration(migrations.Migration):
    """Let pages say that they are of a drill."""

    dependencies = [("crisis", "0008_no_silent_rung"), ("chat", "0014_drills")]
    operations = [
        migrations.RemoveConstraint(model_name="paging", name="known_paging_kind"),
        migrations.RemoveConstraint(model_name="paging", name="paged_for_an_escalation_or_a_test"),
        migrations.AddConstraint(
            model_name="paging",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["escalation", "test", "drill"])), name="known_paging_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="paging",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("escalation__isnull", True), ("kind", "test")),
                    models.Q(("escalation__isnull", False), ("kind__in", ["escalation", "drill"])),
                    _connector="OR",
                ),
                name="paged_for_an_escalation_or_a_test",
            ),
        ),
    ]
