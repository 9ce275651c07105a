import uuid

import django.db.models.deletion
from django.db import migrations, models


def pages_as_shipped(apps, schema_editor):
    """Let the levels that a site has set page as the shipped ladder does."""
    for level, pages in ((2, "unanswered"), (3, "at_once")):
        apps.get_model("crisis", "Rung").objects.filter(level=level).update(pages=pages)


class Migration(migrations.Migration):

    dependencies = [
        ('crisis', '0003_ladder'),
    ]

    operations = [
        migrations.AddField(
            model_name='rung',
            name='aloud',
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name='rung',
            name='pages',
            field=models.CharField(default='never', max_length=12),
            preserve_default=False,
        ),
        migrations.RunPython(pages_as_shipped, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name='rung',
            constraint=models.CheckConstraint(condition=models.Q(('pages__in', ['never', 'unanswered', 'at_once'])), name='known_time_to_page'),
        ),
        migrations.AddConstraint(
            model_name='rung',
            constraint=models.CheckConstraint(condition=models.Q(('level__lt', 3), models.Q(('aloud', True), models.Q(('pages', 'never'), _negated=True)), _connector='OR'), name='level_3_is_never_silent'),
        ),
        migrations.CreateModel(
            name='OnCallTarget',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=40)),
                ('way', models.CharField(max_length=8)),
                ('shown', models.CharField(max_length=255)),
                ('sealed_address', models.BinaryField()),
                ('sealed_secret', models.BinaryField(null=True)),
                ('wait_seconds', models.PositiveIntegerField()),
                ('place', models.PositiveIntegerField()),
            ],
            options={
                'ordering': ['place', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('way__in', ['webhook', 'mail'])), name='known_way_to_page'), models.CheckConstraint(condition=models.Q(('wait_seconds__gte', 15), ('wait_seconds__lte', 1800)), name='a_wait_that_can_be_met'), models.CheckConstraint(condition=models.Q(models.Q(('sealed_secret__isnull', False), ('way', 'webhook')), models.Q(('sealed_secret__isnull', True), ('way', 'mail')), _connector='OR'), name='a_webhook_is_signed')],
            },
        ),
        migrations.CreateModel(
            name='Paging',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=12)),
                ('level', models.PositiveSmallIntegerField()),
                ('state', models.CharField(default='calling', max_length=12)),
                ('reached', models.BooleanField(default=False)),
                ('begun_at', models.DateTimeField()),
                ('due_at', models.DateTimeField(null=True)),
                ('escalation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='pagings', to='crisis.escalation')),
            ],
            options={
                'indexes': [models.Index(fields=['state', 'due_at'], name='crisis_pagi_state_06bf51_idx')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['escalation', 'test'])), name='known_paging_kind'), models.CheckConstraint(condition=models.Q(('state__in', ['calling', 'answered', 'unanswered', 'unreached', 'done'])), name='known_paging_state'), models.CheckConstraint(condition=models.Q(models.Q(('escalation__isnull', True), ('kind', 'test')), models.Q(('escalation__isnull', False), ('kind', 'escalation')), _connector='OR'), name='paged_for_an_escalation_or_a_test'), models.UniqueConstraint(condition=models.Q(('state', 'calling')), fields=('escalation',), name='one_paging_at_a_time_for_an_escalation')],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('target_name', models.CharField(max_length=40)),
                ('state', models.CharField(default='due', max_length=8)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('result', models.CharField(blank=True, default='', max_length=16)),
                ('due_at', models.DateTimeField()),
                ('at', models.DateTimeField()),
                ('paging', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='crisis.paging')),
                ('target', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='crisis.oncalltarget')),
            ],
            options={
                'verbose_name_plural': 'deliveries',
                'indexes': [models.Index(fields=['state', 'due_at'], name='crisis_deli_state_177655_idx')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['due', 'failed', 'sent', 'gave_up', 'dropped'])), name='known_delivery_state')],
            },
        ),
    ]
