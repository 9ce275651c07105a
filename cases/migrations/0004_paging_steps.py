from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0003_came_back'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='entry',
            name='known_entry_code',
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(('code__in', ['came_back', 'contact_began', 'contact_closed', 'ended_by_advocate', 'ended_by_visitor', 'erased', 'escalation_acknowledged', 'escalation_climbed', 'escalation_paged', 'escalation_raised', 'escalation_repeated', 'escalation_resolved', 'escalation_started', 'escalation_stood_down', 'escalation_unreached', 'faded', 'left_quickly', 'opened'])), name='known_entry_code'),
        ),
    ]
