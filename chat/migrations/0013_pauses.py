from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0012_words_lanes'),
    ]

    operations = [
        migrations.AddField(
            model_name='conversation',
            name='paused_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='conversation',
            name='pause_minutes',
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='site',
            name='pause_minutes',
            field=models.CharField(default='15,60', max_length=24),
        ),
        migrations.AddConstraint(
            model_name='conversation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('pause_minutes__isnull', True), ('paused_until__isnull', True)), models.Q(('pause_minutes__gte', 1), ('pause_minutes__isnull', False), ('pause_minutes__lte', 1440), ('paused_until__isnull', False)), _connector='OR'), name='a_pause_ends_within_a_day'),
        ),
    ]
