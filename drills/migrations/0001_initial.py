import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Keep which script runs where, and what came of it."""

    initial = True
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("chat", "0014_drills"),
    ]
    operations = [
        migrations.CreateModel(
            name="Drill",
            fields=[
                (
                    "conversation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="chat.conversation",
                    ),
                ),
                ("script", models.CharField(max_length=40)),
                ("language", models.CharField(max_length=5)),
                ("title", models.CharField(max_length=80)),
                ("started_at", models.DateTimeField()),
                ("ends_by", models.DateTimeField()),
                ("sealed_visitor", models.BinaryField()),
                ("step", models.CharField(max_length=40)),
                ("done", models.PositiveSmallIntegerField(default=0)),
                ("since", models.PositiveBigIntegerField(default=0)),
                ("last_at", models.DateTimeField()),
                ("away", models.BooleanField(default=False)),
                ("path", models.JSONField(default=list)),
                ("taken_until", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_why", models.CharField(blank=True, default="", max_length=12)),
                ("first_reply_seconds", models.PositiveIntegerField(null=True)),
                ("summary", models.JSONField(default=list)),
                (
                    "trainee",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["ended_at", "started_at"], name="drills_by_end")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)), fields=("trainee",), name="one_drill_at_a_time"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("ended_why", "")),
                            models.Q(
                                ("ended_at__isnull", False),
                                ("ended_why__in", ["finished", "ended", "stopped", "time", "nobody", "lost"]),
                            ),
                            _connector="OR",
                        ),
                        name="a_drill_ends_for_a_reason",
                    ),
                ],
            },
        ),
    ]
