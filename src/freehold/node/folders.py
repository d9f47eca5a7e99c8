"""Where the keys and the journal of a profile lie; nothing here opens them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from freehold.node.configuration import Profile, home


def profile_folder(name: str, environment: Mapping[str, str] = os.environ) -> Path:
    """The private folder of a profile; it need not exist."""
    return home(environment) / name


def key_path(name: str, profile: Profile, environment: Mapping[str, str] = os.environ) -> Path:
    """Where a profile's key file lies."""
    return Path(profile.key) if profile.key is not None else profile_folder(name, environment) / "key"
