"""Profiles: one file of facts for each kind of modem, found by the modem's name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from pkgutil import iter_modules

import gateway.framing
import gateway.radio
from gateway.codes.bands import is_for_beacons
from gateway.model.plan import Profile
from gateway.settings.faults import BadSettings, ConfigFault
from gateway.settings.places import shipped
from gateway.settings.tables import TomlFile, read_file


def folders_for(config: Path | None) -> tuple[Path, ...]:
    """Return where profiles are looked for: beside the configuration, then those shipped."""
    beside = () if config is None else (config.parent / "modems",)
    return (*beside, shipped("modems"))


def profile_names(folders: Iterable[Path] | None = None) -> list[str]:
    """Return the name of every profile in these folders; without any, of those shipped."""
    folders = folders_for(None) if folders is None else folders
    return sorted({file.stem for folder in folders for file in folder.glob("*.toml")})


def profile_named(name: str, *, config: Path | None = None) -> Profile:
    """Return the profile of that name, or raise BadSettings."""
    folders = folders_for(config)
    path = profile_path(name, folders)
    if path is None:
        what, remedy = no_profile(name, folders)
        raise BadSettings((ConfigFault(name, 0, "", what, remedy),))
    return read_profile(path)


def profile_path(name: str, folders: Iterable[Path]) -> Path | None:
    """Return the file of the profile of that name: the first there is in these folders."""
    if name not in profile_names(folders):
        return None
    paths = (folder / f"{name}.toml" for folder in folders)
    return next((path for path in paths if path.is_file()), None)


def no_profile(name: str, folders: Iterable[Path]) -> tuple[str, str]:
    """Return what to say of a profile that does not exist."""
    names = profile_names(folders)
    near = get_close_matches(name, names, n=1)
    remedy = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(names)}"
    return "no profile has this name", remedy


def read_profile(path: Path) -> Profile:
    """Return the profile kept in this file, or raise BadSettings with everything wrong in it."""
    file = read_file(path)
    radio = file.root.get("radio")
    if isinstance(radio, str):
        file.root["radio"] = [radio]
    profile = file.struct((), Profile)
    if profile is not None:
        _check_modules(file, profile)
        _check_transmit(file, profile)
        _check_hello(file, profile)
        _check_words(file, profile)
    if profile is None or file.faults:
        raise BadSettings(tuple(file.faults))
    return profile


def radio_names() -> list[str]:
    """Return the name of every radio system there is a decoder for."""
    return list(gateway.radio.radio_names())


def framing_names() -> list[str]:
    """Return the name of every way of framing there is."""
    return _modules(gateway.framing.__path__)


def _check_modules(file: TomlFile, profile: Profile) -> None:
    radios, framings = radio_names(), framing_names()
    for name in profile.radio:
        if name not in radios:
            file.fault(("radio",), f'no radio system is called "{name}"', _choice(name, radios))
    if len(set(profile.radio)) < len(profile.radio):
        file.fault(("radio",), "names one radio system twice", "name each once")
    if profile.framing not in framings:
        what = f'no framing is called "{profile.framing}"'
        file.fault(("framing",), what, _choice(profile.framing, framings))


def _check_transmit(file: TomlFile, profile: Profile) -> None:
    """Refuse any wiring that could disturb distress beacons: an emission there may hide one."""
    if not profile.transmit:
        if profile.ptt is not None:
            what = "keys a transmitter, and the profile says that there is none"
            file.fault(("ptt",), what, "leave it out, or set transmit = true")
        return
    known = [name for name in profile.radio if name in radio_names()]
    silent = [name for name in known if gateway.radio.receives_only(name)]
    if silent:
        what = f"{silent[0]} is received and never transmitted"
        file.fault(("transmit",), what, "give that radio system a profile of its own")
    if profile.freq_hz is not None and is_for_beacons(profile.freq_hz):
        what = "nobody but a beacon in distress transmits in 406.0 to 406.1 MHz"
        file.fault(("transmit",), what, "set transmit = false")


def _check_hello(file: TomlFile, profile: Profile) -> None:
    """A packed modem that transmits says who it is; any other has no word for that."""
    packed = "packed" in profile.radio
    if profile.hello and not packed:
        file.fault(("hello",), "is a word of packed modems alone", "set hello = false")
    if profile.transmit and packed and not profile.hello:
        what = "a packed modem says who it is before anything is transmitted by it"
        file.fault(("transmit",), what, "set hello = true")


def _check_words(file: TomlFile, profile: Profile) -> None:
    """Refuse a modem that transmits and can be told nothing, and a dialect that it has not."""
    if not profile.transmit:
        if profile.dialect is not None:
            file.fault(("dialect",), "is for what transmits", "leave it out")
        return
    if file.faults:
        return
    composers = gateway.radio.composers_for(profile.radio, profile.framing)
    if not composers:
        what = f"nothing that it speaks can be ordered by {profile.framing}"
        file.fault(("transmit",), what, "set transmit = false")
        return
    faults = [composer.dialect_fault(profile.dialect) for composer in composers]
    if None not in faults:
        remedy = "add it" if profile.dialect is None else "put it right, or leave it out"
        file.fault(("dialect",), str(faults[0]), remedy)


def _choice(name: str, names: list[str]) -> str:
    near = get_close_matches(name, names, n=1)
    return f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(names)}"


def _modules(path: Iterable[str]) -> list[str]:
    return sorted(found.name for found in iter_modules(path) if not found.name.startswith("_"))
