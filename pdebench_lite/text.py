"""Counts in words."""


def counted(n: int | str, what: str) -> str:
    """Return `1 trial`, `2 trials`.

    Args:
        n: how many; as text where it was read as such.
        what: of what, in the singular; its plural ends in s.
    """
    return f"{n} {what}{'' if str(n) == '1' else 's'}"
