"""The settings of a development machine, but with static files as a site serves them: collected and packed."""

from config.settings import *  # noqa: F403
from config.settings import ENV

STATIC_ROOT = ENV.data_dir / "static"
WHITENOISE_USE_FINDERS = False
