"""Every attack of the benchmark: who, step by step, what counts as detection, what stops it.

This is the definition; nothing in it is about Freehold's insides. Another system that pays several workers for the same
piece of work can play the same attacks. In each, the steps are what the attacker does beyond or instead of its honest
part; whoever is not named as an attacker is honest; and what counts as detection is the fact that is recorded, the
refusal, or the check that shows it, not who suspects what. `plays` plays them on a market of Freehold.

The market: one data owner sells trainings on a table of four subsets, each held by three cloud owners ("workers") that
compute the same thing and are paid by majority, with a stake each; two more workers wait. One model owner buys a
training of three rounds. There is a referee that can repeat any work, and that nobody calls unless the steps say so.

What is measured of each: whether it was detected, how long that took in the time of the market, how many honest members
were blamed, what honest members lost against the same market without the attack, and how many rounds were lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack: its name, the role of who attacks, and in words what it is."""

    name: str
    by: str
    definition: str


_ATTACKS: Final = (
    Attack(
        "copies",
        "cloud owner",
        """One worker copies instead of computing.

        1. It waits until another worker of its subset has committed to a result.
        2. It sends that commitment as its own, byte for byte, in every round.
        Detected: a recorded verdict that its commitment is not one to the agreed result.
        Stopped by: a commitment hashes the job and its owner, so that a copy opens for nobody.
        """,
    ),
    Attack(
        "returns-base",
        "cloud owner",
        """One worker does nothing, and hands in what it was given.

        1. In every round it commits to the encrypted model that it was sent, as if that were the result.
        Detected: a recorded verdict that its commitment is not one to the agreed result.
        Stopped by: the majority of those who hold the same subset.
        """,
    ),
    Attack(
        "adds-noise",
        "cloud owner",
        """One worker computes the result and changes one bit of it.

        1. In every round it commits to a result in which one bit differs from the right one.
        Detected: a recorded verdict that its commitment is not one to the agreed result.
        Stopped by: results of honest workers are equal to the last bit, and compared by their hash.
        """,
    ),
    Attack(
        "repeats-last-answer",
        "cloud owner",
        """One worker works once, and sells the same answer again.

        1. It computes honestly in round 1, and is paid.
        2. In all later rounds it commits to the result of round 1.
        Detected: a recorded verdict that its commitment is not one to the agreed result.
        Stopped by: a result depends on the round's base and number.
        """,
    ),
    Attack(
        "uses-wrong-subset",
        "cloud owner",
        """One worker trains on rows that are not those of its subset.

        1. A worker of another subset, its accomplice, gives it the rows that it holds.
        2. In every round it does the whole work, with those rows.
        Honest: everybody but the two.
        Detected: a recorded verdict that its commitment is not one to the agreed result.
        Stopped by: the majority of those who hold the right rows.
        """,
    ),
    Attack(
        "stays-silent",
        "cloud owner",
        """One worker takes a subset, and never works.

        1. It does not commit to anything, in any round.
        Detected: a recorded verdict that it missed the round.
        Stopped by: the others are a majority; who misses is unpaid, and its place is given to another.
        """,
    ),
    Attack(
        "withholds-result",
        "cloud owner",
        """One worker is paid for a result that it never hands over.

        1. It computes and commits honestly, so that it is paid by vote.
        2. It uploads nothing.
        Detected: the model owner asks for this worker's copy and finds none.
        Stopped by: nothing is lost, since the copies of the others are the same bytes; the pay is not taken back.
        """,
    ),
    Attack(
        "truncates-object",
        "cloud owner",
        """One worker hands over half of its result.

        1. It computes and commits honestly.
        2. It puts the first half of the bytes under the name of the whole.
        Detected: the model owner downloads this copy, and its check fails. (It takes the first copy that it finds: one
        that comes late may never be read.)
        Stopped by: an object's name is its hash; the next copy is taken.
        """,
    ),
    Attack(
        "swaps-object",
        "cloud owner",
        """One worker hands over something else of the same form.

        1. It computes and commits honestly.
        2. It puts a well-formed answer with other numbers under the name of its result.
        Detected: the model owner downloads this copy, and its check fails. (It takes the first copy that it finds: one
        that comes late may never be read.)
        Stopped by: an object's name is its hash; the next copy is taken.
        """,
    ),
    Attack(
        "holds-two-slots",
        "cloud owner",
        """One worker gets two places of one subset, to be a majority on its own.

        1. The data owner, its accomplice, offers it a second place of the subset that it holds, before publication.
        2. It joins with a right receipt, and the data owner says that it is verified.
        Honest: everybody but the two.
        Detected: the refusal of the second verification.
        Stopped by: a subset gives no two places to one person's handle. (In a network without a registrar, handles are
        free: see `two-outvote-one`.)
        """,
    ),
    Attack(
        "flees-after-lie",
        "cloud owner",
        """One worker lies, and leaves before anybody can look.

        1. It commits to a wrong result in round 1.
        2. It gives its place back at once, to have its stake returned.
        3. The data owner sees the out-voted result, and takes the case to the referee.
        Detected: the recorded finding.
        Stopped by: a stake is held until a referee could speak; the finding burns it.
        """,
    ),
    Attack(
        "two-outvote-one",
        "cloud owner",
        """Two of three workers agree on the same lie, and nobody calls the referee.

        1. Two workers of one subset exchange the classes of their rows, both in the same way.
        2. In every round they do the whole work with them, commit to the same wrong result, and deliver it.
        Detected: a recorded finding, or a check of the model owner that fails.
        Stopped by: nothing. Two of three are the majority; the third is out-voted and unpaid.
        """,
    ),
    Attack(
        "two-outvote-one-with-referee",
        "cloud owner",
        """Two of three workers agree on the same lie, and the third calls the referee.

        1. As in `two-outvote-one`.
        2. After round 1 the out-voted third hands its package to the referee.
        Detected: the recorded findings against both.
        Stopped by: a referee that repeats the job; both stakes are burned. What was paid by vote stays paid.
        """,
    ),
    Attack(
        "deals-unequal-packages",
        "data owner",
        """The data owner gives one worker other data than the rest, so that it is out-voted though it is honest.

        1. It publishes the digest of each subset's package.
        2. It seals a package with one byte changed to the first worker to which it offers a place.
        Detected: that worker's check of what it was given fails.
        Stopped by: one public digest covers all that a worker uses; who cannot reproduce it does not join.
        """,
    ),
    Attack(
        "copies-mask-keys",
        "data owner",
        """A second data owner makes masks cancel where they should not.

        1. It publishes a dataset of its own whose mask keys are those of the first dataset, held by workers of its own.
        2. The model owner is asked to train on both datasets together.
        Honest: everybody but the second data owner and its workers.
        Detected: the model owner's check refuses the pair.
        Stopped by: everybody compares the secrets that the mask keys of a training make, before anything is asked.
        """,
    ),
    Attack(
        "rejects-honest-holder",
        "data owner",
        """The data owner says of a right receipt that it is wrong.

        1. It rejects the first worker that joins, whose receipt is right.
        2. It gives the place to another.
        Detected: the receipt on the ledger is recomputed from the package, and fits.
        Stopped by: a rejection returns the stake at once and is no finding; the place is lost.
        """,
    ),
    Attack(
        "never-verifies",
        "data owner",
        """The data owner leaves a worker waiting, its stake locked.

        1. It never answers the first worker that joins.
        2. The worker waits for the answer time of the terms, and gives the place back.
        Detected: the recorded return of a stake that nobody had verified.
        Stopped by: whoever joined can leave without asking anybody.
        """,
    ),
    Attack(
        "withdraws-in-training",
        "data owner",
        """The data owner takes its dataset away while a training that was paid for runs.

        1. It approves a training of three rounds.
        2. It withdraws the dataset in round 2.
        Detected: the recorded withdrawal.
        Stopped by: rounds that run are finished and paid, what is unused returns to the model owner.
        """,
    ),
    Attack(
        "starves-replicas",
        "model owner",
        """The model owner shows its base to one worker of a subset only, to have a result that it need not pay.

        1. It hides the base of round 1 from two of the three workers of one subset.
        2. It hopes for the result of the third.
        Detected: the recorded end of a ballot without majority, whose base two workers could not read.
        Stopped by: results are uploaded after a majority has committed, never before.
        """,
    ),
    Attack(
        "sends-another-base",
        "model owner",
        """The model owner gives one worker another base, so that it is out-voted, or masks meet twice.

        1. In round 1 it serves other bytes to one worker under the name of the base.
        Detected: that worker's check of what it downloaded fails.
        Stopped by: the ledger names the base's hash. (The worker cannot answer, and counts as missing.)
        """,
    ),
    Attack(
        "vanishes",
        "model owner",
        """The model owner is never heard of again while rounds that it asked for are open.

        1. It starts round 2, and stops.
        Detected: the recorded end of the training by somebody else.
        Stopped by: money is locked beforehand; after a deadline anybody ends it, and what was done is paid.
        """,
    ),
    Attack(
        "ends-in-mid-round",
        "model owner",
        """The model owner ends the training while workers compute, to have its money back.

        1. It starts round 1.
        2. It sends the end of the training before any ballot is decided.
        Detected: the refusal.
        Stopped by: no training ends while a round is open.
        """,
    ),
    Attack(
        "opens-another-draw",
        "model owner",
        """The model owner chooses anew which subsets are trained when, after it has seen the other side's share.

        1. It commits to a secret in its request, and the data owner adds its share.
        2. It starts round 1 with another secret.
        Detected: the refusal.
        Stopped by: the secret must open the commitment.
        """,
    ),
    Attack(
        "sends-malformed-ciphertext",
        "model owner",
        """The model owner sends bytes that are no ciphertext, to crash workers or to learn from what they do.

        1. The base of round 1 has the right length, and a number in it that is no residue.
        Detected: a worker's check of the base fails.
        Stopped by: every byte is checked before it is used; nobody answers, and the round is unpaid.
        """,
    ),
    Attack(
        "asks-for-exhausting-method",
        "model owner",
        """A second model owner asks for a training that is meant to exhaust the workers.

        1. It asks for a thousand random features, on a table of a hundred rows, beside an honest training.
        Detected: the data owner's tool refuses the approval.
        Stopped by: no training is computed that its data owner did not approve; too few rows per feature have no yes.
        """,
    ),
    Attack(
        "replays-actions",
        "outsider",
        """Somebody without any key sends what others have signed once more.

        1. It sends every recorded action again, byte for byte, as soon as it sees it.
        Detected: every one is refused.
        Stopped by: an action creates something under an id of its own, or moves it from a state that it is in no more.
        """,
    ),
    Attack(
        "alters-actions",
        "outsider",
        """Somebody without any key sends what others have signed, with one bit turned.

        1. It turns one bit, drawn by chance, in every recorded action, and sends it as soon as it sees it.
        Detected: every one is refused.
        Stopped by: a signature covers the whole action, which has one spelling.
        """,
    ),
    Attack(
        "rewrites-result",
        "operator",
        """Whoever runs the ledger changes what it recorded.

        1. After a training it alters one recorded result in the ledger's file.
        Detected: an audit of the file fails.
        Stopped by: each block is signed and names the hashes of the one before it and of all that it holds.
        """,
    ),
    Attack(
        "signs-false-balance",
        "operator",
        """Whoever runs the ledger gives somebody money, and signs that it was always so.

        1. After a training it adds a credit to an account in the records that one block wrote.
        2. It computes all that hangs on it anew, and signs every block from there on again.
        Detected: an audit of the file fails.
        Stopped by: an audit executes every signed action again; what members did not sign has no effect.
        """,
    ),
    Attack(
        "shows-two-histories",
        "operator",
        """Whoever runs the ledger shows one history to some members and another to the rest.

        1. A member keeps a checkpoint that the ledger signed after a training.
        2. Without its last ten blocks, the operator goes on with as many other actions, and signs them.
        Honest: everybody but the operator and the treasury, whose deposits the other history holds.
        Detected: an audit of the second history against the checkpoint of the first fails.
        Stopped by: two signed checkpoints of which neither continues the other; whoever holds both can show it.
        """,
    ),
    Attack(
        "truncates-ledger",
        "operator",
        """Whoever runs the ledger forgets how it ended.

        1. A member keeps a checkpoint that the ledger signed after a training.
        2. The operator removes the last ten blocks from the file.
        Detected: an audit of the file against the checkpoint fails.
        Stopped by: signed checkpoints that members keep; without any, a shorter history looks whole.
        """,
    ),
)
ATTACKS: Final = {attack.name: attack for attack in _ATTACKS}
