from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('crisis', '0004_paging'),
    ]

    operations = [
        migrations.CreateModel(
            name='Silence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seconds', models.PositiveIntegerField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='one_silence'), models.CheckConstraint(condition=models.Q(('seconds__gte', 60), ('seconds__lte', 1800)), name='a_silence_that_is_one')],
            },
        ),
        migrations.RemoveConstraint(
            model_name='escalation',
            name='raised_by_a_person_or_a_rule',
        ),
        migrations.RemoveConstraint(
            model_name='escalation',
            name='no_rule_reaches_level_4',
        ),
        migrations.AddConstraint(
            model_name='escalation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('raised_by__isnull', False), ('source__in', ['person', 'voice'])), models.Q(('raised_by__isnull', True), ('source__in', ['left', 'returned', 'screening', 'silence'])), _connector='OR'), name='raised_by_a_person_or_a_rule'),
        ),
        migrations.AddConstraint(
            model_name='escalation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('source__in', ['left', 'returned', 'screening', 'silence']), _negated=True), ('level__lte', 3), _connector='OR'), name='no_rule_reaches_level_4'),
        ),
    ]
