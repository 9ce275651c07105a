from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import chat.row_id

drills = import_module("chat.migrations.0014_drills")


def guard_again(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    """Create the trigger on drills again where the table was made anew."""
    if editor.connection.vendor == "sqlite":
        drills.guard(apps, editor)


class Migration(migrations.Migration):
    """Find what somebody holds now, and let a text write two pages less on SQLite."""

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("chat", "0014_drills"),
    ]
    operations = [
        # at the end of the way back
        migrations.RunPython(migrations.RunPython.noop, guard_again),
        migrations.AlterField(
            model_name="conversation",
            name="advocate",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="conversations",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(fields=["advocate", "state"], name="held_by_somebody_now"),
        ),
        migrations.RunPython(guard_again, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="assignment",
            index=models.Index(fields=["outcome", "ended_at"], name="came_to_an_end_lately"),
        ),
        migrations.AlterField(
            model_name="event",
            name="author",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="id",
            field=chat.row_id.RowId(primary_key=True, serialize=False),
        ),
    ]
