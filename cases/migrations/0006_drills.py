from django.db import migrations, models


class Migration(migrations.Migration):
    """Mark contacts and cases of drills, so that no figure counts them."""

    dependencies = [("cases", "0005_external")]
    operations = [
        migrations.AddField(
            model_name="case",
            name="drill",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="contact",
            name="drill",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
