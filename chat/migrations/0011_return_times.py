from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def count_those_that_wait(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take every return that waits for a decision for the first: how many there were was not counted."""
    apps.get_model("chat", "Conversation").objects.filter(return_open=True).update(return_times=1)


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0010_survey'),
    ]

    operations = [
        migrations.AddField(
            model_name='conversation',
            name='return_times',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.RunPython(count_those_that_wait, migrations.RunPython.noop),
    ]
