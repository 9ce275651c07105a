"""Commands about drills: one transaction each, but for what their visitors do, which are a visitor's own commands."""

from drills.services.ending import end_drill, forget_drills
from drills.services.running import step_drills
from drills.services.starting import start_drill

__all__ = ["end_drill", "forget_drills", "start_drill", "step_drills"]
