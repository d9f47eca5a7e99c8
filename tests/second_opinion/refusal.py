"""The one way in which a rule says no: a code."""


class Refused(Exception):
    """The action changes nothing, for the reason of this code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def require(condition: object, code: str) -> None:
    """Refuses with the code unless the condition holds."""
    if not condition:
        raise Refused(code)
