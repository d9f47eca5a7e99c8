"""People: what a data owner, a cloud owner, a model owner and a treasury do, told as plans and acts.

An agent is two things. Its *plan* is a pure function: what I know, and what time it is, give the next steps. It
reads no clock, draws nothing, and asks nobody; the same knowledge gives the same steps. Its *act* performs one
step through the ports (`world`), and decides durably (`journal`) whatever the step needs that cannot be
derived, before anybody hears of it. Between the two stands one small loop (`loop`): look, plan, act, and wait
for events.

Nothing is remembered about how far an agent came. Where a publication or a training stands is read from the
ledger, each time anew; what the journal holds are decisions, not progress. So there is no difference between
going on and starting again, and a process may be killed at any moment: every step is one of these, and each can
be done twice.

    uploads        under the name of their digest: the second one changes nothing
    decisions      made once; the second time the journal answers what was decided
    actions        create something under a derived id, or move it out of a named state: the second one is refused
                   with `exists` or `state`, and the next look at the ledger shows that it is done

A lost answer needs no special treatment either. The agent does not know whether its action arrived; it looks,
and if the action is not there it says the same thing again.
"""
