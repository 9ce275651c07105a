from django.db import migrations, models

SILENT = {"climbs": False, "pages": "never"}


def let_them_page(apps, schema_editor):
    """Let a level that a site had set neither to climb nor to page call who is on call when nobody came in time."""
    apps.get_model("crisis", "Rung").objects.filter(**SILENT).update(pages="unanswered")


class Migration(migrations.Migration):

    dependencies = [
        ('crisis', '0007_rule_versions'),
    ]

    operations = [
        migrations.RunPython(let_them_page, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name='rung',
            constraint=models.CheckConstraint(condition=models.Q(('climbs', True), models.Q(('pages', 'never'), _negated=True), _connector='OR'), name='what_does_not_climb_pages_somebody'),
        ),
    ]
