"""Let the database itself refuse to change or remove what stands in the trail."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

REFUSAL = "the audit trail is append-only"

SQLITE = [
    f"""CREATE TRIGGER audit_event_is_kept_{what.lower()} BEFORE {what} ON audit_auditevent
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"""
    for what in ("UPDATE", "DELETE")
]
POSTGRESQL = [
    f"""CREATE FUNCTION audit_event_is_kept() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$""",
    """CREATE TRIGGER audit_event_is_kept BEFORE UPDATE OR DELETE ON audit_auditevent
       FOR EACH ROW EXECUTE FUNCTION audit_event_is_kept()""",
    """CREATE TRIGGER audit_trail_is_kept BEFORE TRUNCATE ON audit_auditevent
       FOR EACH STATEMENT EXECUTE FUNCTION audit_event_is_kept()""",
]
DROP = {
    "sqlite": [f"DROP TRIGGER audit_event_is_kept_{what}" for what in ("update", "delete")],
    "postgresql": [
        "DROP TRIGGER audit_event_is_kept ON audit_auditevent",
        "DROP TRIGGER audit_trail_is_kept ON audit_auditevent",
        "DROP FUNCTION audit_event_is_kept()",
    ],
}


def guard(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    """Create the triggers."""
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[editor.connection.vendor]:
        editor.execute(statement, params=None)


def unguard(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    """Remove the triggers."""
    for statement in DROP[editor.connection.vendor]:
        editor.execute(statement, params=None)


class Migration(migrations.Migration):
    """Create the triggers on either database."""

    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
