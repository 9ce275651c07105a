import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

REFUSAL = "what is a drill stays one, and what is none becomes none"

# A later migration that makes this table anew on SQLite drops the trigger: then make it again behind that.
# `tests/app/test_drill_mark.py` sees that it is there.
SQLITE = [
    f"""CREATE TRIGGER a_drill_stays_one BEFORE UPDATE OF drill, drill_for_id ON chat_conversation
        WHEN OLD.drill IS NOT NEW.drill OR OLD.drill_for_id IS NOT NEW.drill_for_id
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"""
]
POSTGRESQL = [
    f"""CREATE FUNCTION a_drill_stays_one() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$""",
    """CREATE TRIGGER a_drill_stays_one BEFORE UPDATE OF drill, drill_for_id ON chat_conversation FOR EACH ROW
       WHEN (OLD.drill IS DISTINCT FROM NEW.drill OR OLD.drill_for_id IS DISTINCT FROM NEW.drill_for_id)
       EXECUTE FUNCTION a_drill_stays_one()""",
]
DROP = {
    "sqlite": ["DROP TRIGGER a_drill_stays_one"],
    "postgresql": ["DROP TRIGGER a_drill_stays_one ON chat_conversation", "DROP FUNCTION a_drill_stays_one()"],
}


def guard(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    """Create the trigger."""
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[editor.connection.vendor]:
        editor.execute(statement, params=None)


def unguard(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    """Remove the trigger."""
    for statement in DROP[editor.connection.vendor]:
        editor.execute(statement, params=None)


class Migration(migrations.Migration):
    """Let a conversation be born as a drill, and never turn into one or out of one."""

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("chat", "0013_pauses"),
    ]
    operations = [
        migrations.AddField(
            model_name="conversation",
            name="drill",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=8),
        ),
        migrations.AddField(
            model_name="conversation",
            name="drill_for",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="conversation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("drill", ""), ("drill_for__isnull", True)),
                    models.Q(("drill__in", ("practice", "drill", "paging")), ("drill_for__isnull", False)),
                    _connector="OR",
                ),
                name="a_drill_is_somebody_s",
            ),
        ),
        migrations.RunPython(guard, unguard),
    ]
