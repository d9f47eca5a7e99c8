"""Who takes part: three kinds of members, each created once and renewed by its recovery key.

An admission is asked for in a permissioned network only, and refused in an open one.
"""

from __future__ import annotations

from tests.second_opinion.books import Books, Fields
from tests.second_opinion.hashes import T
from tests.second_opinion.reader import LARGEST
from tests.second_opinion.refusal import require


class Membership(Books):
    """Create{DO,CO,MO} and RotateKey."""

    def create_member(self, arguments: Fields, role: str) -> str:
        """A member with an empty account."""
        require(self.read("member", self.member) is None, "exists")
        registrar = self.network.get("registrar")
        admission = arguments.get("admission")
        require((registrar is None) == (admission is None), "not-admitted")
        handle, until = (self.member, LARGEST)
        if admission and registrar:
            handle, until = (admission["handle"], admission["until"])
            message = (
                T("admission")
                + bytes.fromhex(self.network_id)
                + bytes.fromhex(self.member)
                + bytes.fromhex(handle)
                + until.to_bytes(8, "big")
            )
            require(
                self.verify(bytes.fromhex(registrar), message, bytes.fromhex(admission["signature"])), "not-admitted"
            )
            require(until >= self.time, "not-admitted")
        self.write(
            "member",
            self.member,
            {
                "role": role,
                "signing_key": arguments["signing_key"],
                "sealing_key": arguments["sealing_key"],
                "recovery_key": arguments["recovery_key"],
                "version": 0,
                "handle": handle,
                "until": until,
            },
        )
        self.write("account", self.member, {"free": 0})
        return self.member

    def CreateDO(self, arguments: Fields) -> str:
        """A data owner."""
        return self.create_member(arguments, "do")

    def CreateCO(self, arguments: Fields) -> str:
        """A cloud owner."""
        return self.create_member(arguments, "co")

    def CreateMO(self, arguments: Fields) -> str:
        """A model owner."""
        return self.create_member(arguments, "mo")

    def RotateKey(self, arguments: Fields) -> str:
        """New keys under the same id."""
        member = self.must("member", self.member)
        require(arguments["version"] == member["version"], "state")
        member.update(
            signing_key=arguments["signing_key"],
            sealing_key=arguments["sealing_key"],
            recovery_key=arguments["recovery_key"],
            version=member["version"] + 1,
        )
        self.write("member", self.member, member)
        return self.member
