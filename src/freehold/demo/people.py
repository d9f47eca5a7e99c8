"""Who takes part in a demo: their names, their terminals, and their ids on the ledger."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from freehold.agents.key_file import KeyFile
from freehold.demo.processes import Member, Processes
from freehold.protocol.identifiers import NetworkId

DATA_OWNER = "data-owner"
MODEL_OWNER = "model-owner"
CLOUD_OWNER = "cloud-owner"
SHORT = {DATA_OWNER: "do", MODEL_OWNER: "mo", CLOUD_OWNER: "co"}


@dataclass(kw_only=True)
class People:
    """Everybody with a terminal of their own; cloud owners in the order of their numbers."""

    operator: Member
    treasury: Member
    data_owner: Member
    model_owner: Member
    cloud_owners: list[Member]
    ids: dict[str, str] = field(default_factory=dict)
    """The id of each member by its name here."""
    planted: dict[str, str] = field(default_factory=dict)
    """The kind of each cheater by its member id."""

    @classmethod
    def gather(cls, processes: Processes, cloud_owners: int) -> "People":
        """A terminal for everybody; nothing is started yet."""
        return cls(
            operator=Member(processes, "operator"),
            treasury=Member(processes, "treasury"),
            data_owner=Member(processes, "data owner"),
            model_owner=Member(processes, "model owner"),
            cloud_owners=[Member(processes, f"cloud {number:02}") for number in range(1, cloud_owners + 1)],
        )

    def remember(self, member: Member, role: str, network: NetworkId) -> None:
        """Reads a member's id from the keys that its own command has made."""
        ring = KeyFile(member.folder / "home" / role / "key", lambda: "").ring()
        self.ids[member.name] = ring.members[0].id_in(SHORT[role], network)

    def operators(self, processes: Processes, count: int) -> list[Member]:
        """Whoever runs a node: the operator, and others beside it if the ledger has several."""
        return [self.operator, *(Member(processes, f"operator {number}") for number in range(2, count + 1))]

    @property
    def names(self) -> dict[str, str]:
        """What the demo calls each member, by its id."""
        return {id: name for name, id in self.ids.items()}

    def roles(self) -> dict[str, str]:
        """The role of each member in words, by its id."""
        return dict(self._roles())

    def _roles(self) -> Iterator[tuple[str, str]]:
        for name, id in self.ids.items():
            yield id, "cloud owner" if name.startswith("cloud") else name

    def cloud_owner(self, id: str) -> Member:
        """The cloud owner with this member id."""
        name = self.names[id]
        return next(member for member in self.cloud_owners if member.name == name)
