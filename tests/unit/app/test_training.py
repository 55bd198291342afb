"""Training from a log, and ranking with what came of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from germane.app import Engine, attach, open_engine
from germane.app.cadence import Cadence
from germane.app.lessons import tells_of_a_day
from germane.app.rebuild import Rebuild
from germane.app.trained import TREES, decode, encode, newest, trained
from germane.app.training import KEPT_VERSIONS, collect, heads_of, train, train_on
from germane.domain.decision import Ask, Decision
from germane.domain.event import Interaction
from germane.domain.forest import AHEAD, AHEAD_NEW, NEW, Forest, Trained, Tree
from germane.domain.outcome import Example
from germane.domain.profile import Profile
from germane.domain.settings import Settings, TrainingSpec
from germane.predict.features import COLUMN, LAYOUT, WIDTH
from germane.predict.model import SharedModel
from germane.predict.residual import DEPTH
from germane.storage.blobs import FolderBlobs
from germane.storage.memory import MemoryStore
from germane.testing import FakeWorld, a_shop, an_event, an_item, an_order
from germane.train import judge
from germane.train.lessons import Collector
from tests.unit.train.lists import lessons

SPEC = TrainingSpec(lessons_min=200, lessons_new=400)


def told(count: int, *, bump: bool, first: int = 0, head: str = "") -> Collector:
    """A collector that was told of so many made-up lessons."""
    some = lessons(first + count, bump=bump)
    collector, starts = Collector(WIDTH, 10_000, DEPTH), some.starts
    for number in range(first + count):
        rows = slice(starts[number], starts[number + 1])
        chosen = tuple(np.flatnonzero(some.taken[rows]).tolist())
        data = some.features[rows].astype("<f2").tobytes()
        collector.add([Example(head, int(some.sizes[number]), data, chosen)])
    return collector


def that_likes(name: str, *, seq: int) -> Trained:
    """Trees that put whatever has a feature first."""
    tree = Tree((COLUMN[name],), (0.0,), (-1,), (-2,), (0.0,), (0.0, 50.0))
    return Trained(f"{TREES}-{seq}", {"": Forest(LAYOUT, (tree,))})


def put(blobs: FolderBlobs, what: Trained) -> None:
    seq = int(what.version.removeprefix(f"{TREES}-"))
    blobs.put(TREES, f"{seq:016d}", encode(what), {"version": what.version, "seq": seq})


def decided(engine: Engine, user: str = "u1") -> Decision:
    (decision,), _ = engine.decide(user, "", "", [Ask("home")])
    return decision


def test_what_the_blend_cannot_see_is_promoted(engine: Engine, tmp_path: Path) -> None:
    """It leads on lessons that it was not fitted to, so it ranks; the manifest says by how much."""
    blobs = FolderBlobs(tmp_path / "models")
    report = train_on(engine.model, told(500, bump=True), blobs, SPEC, seq=7)
    everything, new = report.heads
    assert report.version == "trees-7"
    assert everything.verdict is not None
    assert everything.verdict.lessons == 75
    assert everything.verdict.challenger > everything.verdict.champion + 0.1
    assert (new.promoted, new.lessons) == (False, 0)
    manifest = blobs.versions(TREES)[0].manifest
    assert manifest["learned"] == {"": 500}
    assert manifest["heads"]["all items"]["challenger_ndcg10"] == pytest.approx(
        everything.verdict.challenger, abs=1e-5
    )
    assert attach(engine.model, blobs) == f"{engine.model.version}+trees-7"


def test_what_teaches_nothing_is_not_promoted(engine: Engine, tmp_path: Path) -> None:
    """Taken by chance alone: trees can only be worse than the blend, and the blend goes on alone."""
    blobs = FolderBlobs(tmp_path / "models")
    collector, chance = Collector(WIDTH, 1_000, DEPTH), np.random.default_rng(0)
    for _ in range(300):
        data = chance.normal(size=(30, WIDTH)).astype("<f2").tobytes()
        collector.add([Example("", 30, data, (int(chance.integers(30)),))])
    report = train_on(engine.model, collector, blobs, SPEC, seq=7)
    assert not report.promoted
    assert report.heads[0].why == "not proven better than the blend alone"
    assert newest(blobs) is None
    assert attach(engine.model, blobs) == engine.model.version


def test_too_few_lessons_say_how_many_are_needed(engine: Engine, tmp_path: Path) -> None:
    """Nothing is fitted to a handful."""
    report = train_on(engine.model, told(50, bump=True), FolderBlobs(tmp_path / "m"), SPEC, seq=1)
    assert not report.promoted
    assert report.heads[0].why == "50 lessons; from 200 on there is enough to learn"


def test_a_challenger_is_judged_on_what_the_champion_has_not_seen(
    engine: Engine, tmp_path: Path
) -> None:
    """Few new lessons: no training. More: both are compared on those alone, and the count goes on."""
    blobs = FolderBlobs(tmp_path / "models")
    train_on(engine.model, told(400, bump=True), blobs, SPEC, seq=1)
    again = train_on(engine.model, told(420, bump=True), blobs, SPEC, seq=2)
    assert not again.promoted
    assert again.heads[0].why == "only 20 lessons since the last training"
    later = train_on(engine.model, told(480, bump=True), blobs, SPEC, seq=3)
    assert later.heads[0].verdict is not None
    assert later.heads[0].verdict.lessons == 80
    assert later.heads[0].verdict.champion > 0.3  # the champion knows the pattern, too
    if later.promoted:
        assert blobs.versions(TREES)[0].manifest["learned"] == {"": 480}


def test_what_was_rolled_back_does_not_come_back_by_itself(engine: Engine, tmp_path: Path) -> None:
    """The same lessons would make the same trees: only what came since makes others. Back to the version
    before, or to the blend alone."""
    blobs = FolderBlobs(tmp_path / "models")
    train_on(engine.model, told(400, bump=True), blobs, SPEC, seq=1)
    put(blobs, that_likes("own", seq=0))
    blobs.retire(TREES, f"{1:016d}")
    for seq in (2, 3):
        again = train_on(engine.model, told(410, bump=True), blobs, SPEC, seq=seq)
        assert [each.why for each in again.heads[:1]] == ["only 10 lessons since the last training"]
        assert not again.promoted
        blobs.retire(TREES, f"{0:016d}")
    later = train_on(engine.model, told(800, bump=True), blobs, SPEC, seq=4)
    assert later.heads[0].promoted


def test_a_worse_challenger_does_not_rank(engine: Engine, tmp_path: Path) -> None:
    """The champion knows what the new lessons are about; one fitted to other lessons does not."""
    blobs = FolderBlobs(tmp_path / "models")
    train_on(engine.model, told(600, bump=True), blobs, SPEC, seq=1)
    collector = told(600, bump=False)
    for example in list(told(100, bump=True, first=600)._kept[""])[-100:]:
        collector.add([example])
    collector.seen[""] = 700
    report = train_on(engine.model, collector, blobs, SPEC, seq=2)
    assert not report.promoted
    assert report.heads[0].why == "worse than what ranks now"
    found = newest(blobs)
    assert found is not None
    assert found.version == "trees-1"


def test_a_champion_that_learned_from_what_is_gone_is_none(engine: Engine, tmp_path: Path) -> None:
    """The challenger need not beat it; where there is none, the blend ranks alone."""
    blobs = FolderBlobs(tmp_path / "models")
    train_on(engine.model, told(600, bump=True), blobs, SPEC, seq=1)
    again = train_on(engine.model, told(500, bump=True), blobs, SPEC, seq=2, left="1")
    assert again.heads[0].promoted
    assert again.heads[0].verdict is not None
    assert again.heads[0].verdict.challenger > again.heads[0].verdict.champion + 0.1  # the blend
    assert attach(engine.model, blobs) == f"{engine.model.version}+trees-2"
    few = train_on(engine.model, told(100, bump=True), blobs, SPEC, seq=3, left="2")
    assert not few.heads[0].promoted
    found = newest(blobs)
    assert found is not None
    assert (found.version, found.forests) == ("trees-3", {})


def test_a_head_that_is_not_promoted_keeps_its_forest(engine: Engine, tmp_path: Path) -> None:
    """Each head has a champion of its own."""
    blobs = FolderBlobs(tmp_path / "models")
    train_on(engine.model, told(400, bump=True, head=NEW), blobs, SPEC, seq=1)
    train_on(engine.model, told(400, bump=True), blobs, SPEC, seq=2)
    found = newest(blobs)
    assert found is not None
    assert sorted(found.forests) == ["", NEW]
    assert blobs.versions(TREES)[0].manifest["learned"] == {NEW: 400, "": 400}


def test_decisions_say_what_made_them_and_replay(
    tmp_path: Path, shop: Settings, world: FakeWorld, engine: Engine
) -> None:
    """A swap changes the next decision; each can be made again with what it was made by (law 5)."""
    blobs = FolderBlobs(tmp_path / "data" / "models")
    for number in range(40):
        world.advance(seconds=60)
        engine.accept_now([an_order([f"i{number % 9}"], user="u1", at_ms=world.now_ms())])
    made = [decided(engine)]
    for name, seq in (("own", 5), ("popular_slow", 6)):
        put(blobs, that_likes(name, seq=seq))
        attach(engine.model, blobs)
        made.append(decided(engine))
    policies = [each.model_version.partition("+")[2] for each in made]
    assert policies == ["", "trees-5", "trees-6"]
    top = made[1].items[0]
    assert top.score > 40
    assert top.score == pytest.approx(sum(top.sources.values()), abs=1e-6)
    assert top.sources["repeat"] > 40
    work = Rebuild(shop, engine.key, lambda policy: trained(blobs, policy))
    again = []
    for record in engine.store.read(0):
        if record.kind == "decision":
            again.append(
                work.decide_again(msgspec.msgpack.decode(record.body, type=Decision)).items
            )
        work.step(record)
    assert again == [each.items for each in made]


def test_roll_back_and_forward(tmp_path: Path, engine: Engine) -> None:
    """Retired: the one before ranks; none left: the blend alone."""
    blobs = FolderBlobs(tmp_path / "models")
    for seq in (1, 2):
        put(blobs, that_likes("own", seq=seq))
    model, alone = engine.model, engine.model.version
    assert attach(model, blobs) == f"{alone}+trees-2"
    blobs.retire(TREES, f"{2:016d}")
    assert attach(model, blobs) == f"{alone}+trees-1"
    blobs.retire(TREES, f"{1:016d}")
    assert attach(model, blobs) == alone
    blobs.retire(TREES, f"{2:016d}", retired=False)
    assert attach(model, blobs) == f"{alone}+trees-2"


def test_trained_for_other_features(tmp_path: Path, engine: Engine) -> None:
    """After an upgrade that changed the features it is passed over, and the blend ranks alone."""
    blobs = FolderBlobs(tmp_path / "models")
    data = encode(Trained("trees-1", {"": Forest("other", ())}))
    blobs.put(TREES, f"{1:016d}", data, {"version": "trees-1"})
    assert decode(data) is None
    assert decode(b"\x91\x01") is None  # of another form altogether
    assert newest(blobs) is None
    assert attach(engine.model, blobs) == engine.model.version


def test_a_start_ranks_with_what_was_trained(
    tmp_path: Path, shop: Settings, world: FakeWorld
) -> None:
    """The newest in the data folder."""
    put(FolderBlobs(tmp_path / "models"), that_likes("own", seq=3))
    engine = open_engine(shop, tmp_path, world=world)
    assert engine.model.policy.endswith("+trees-3")
    engine.store.close()


def test_training_beside_a_server(tmp_path: Path, shop: Settings, world: FakeWorld) -> None:
    """From the log of a folder that another process has open; the log's lessons are all there."""
    engine = open_engine(shop, tmp_path, world=world)
    with engine.importer() as importer:
        for number in range(3_000):
            world.advance(seconds=60)
            event = an_event(
                user=f"u{number % 20}", item=f"i{number * 7 % 31}", at_ms=world.now_ms()
            )
            importer.add([event])
    report = train(shop, SPEC, tmp_path)
    everything = report.heads[0]
    assert (
        everything.lessons
        == engine.model.lessons
        == len(collect(engine.store, engine.settings).lessons(""))
    )
    assert everything.lessons > 200
    assert everything.verdict is not None
    assert len(FolderBlobs(tmp_path / "models").versions(TREES)) == int(report.promoted)
    engine.store.close()


def test_versions_are_bounded(tmp_path: Path, engine: Engine) -> None:
    """Old ones go."""
    blobs = FolderBlobs(tmp_path / "models")
    for seq in range(1, KEPT_VERSIONS + 5):
        put(blobs, that_likes("own", seq=seq))
    train_on(engine.model, told(400, bump=True), blobs, SPEC, seq=99)
    assert len(blobs.versions(TREES)) == KEPT_VERSIONS


def test_when_a_server_trains() -> None:
    """At the first lessons that suffice, then after so many more, or fewer and some time."""
    cadence = Cadence(TrainingSpec(lessons_min=200, lessons_new=100, every_s=50))
    asked = [(199, 0), (200, 1), (250, 2), (300, 3), (349, 60), (350, 61), (399, 62)]
    assert [cadence.due(lessons, now_s) for lessons, now_s in asked] == [
        False,
        True,
        False,
        True,
        False,
        True,
        False,
    ]
    assert not Cadence(TrainingSpec(enabled=False)).due(10**6, 10**6)


def test_commands(tmp_path: Path) -> None:
    """List, train, roll back: with words for people, JSON for programs, and a remedy."""

    def germane(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "germane", *arguments],
            cwd=tmp_path / "shop",
            text=True,
            capture_output=True,
            check=False,
        )

    (tmp_path / "shop").mkdir()
    subprocess.run(
        [sys.executable, "-m", "germane", "init", "shop"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    none = germane("models", "rollback")
    assert (none.returncode, "models list" in none.stderr) == (1, True)
    assert "ranks alone" in germane("models", "list").stdout
    germane("import", "catalogue", "catalogue.csv")
    assert "from 1,000 on" in germane("train").stdout
    blobs = FolderBlobs(tmp_path / "shop" / "germane-data" / "models")
    for seq in (1, 2):
        put(blobs, that_likes("own", seq=seq))
    listed = json.loads(germane("models", "list", "--json").stdout)
    assert [(each["version"], each["state"]) for each in listed] == [
        ("trees-2", "ranks"),
        ("trees-1", "earlier"),
    ]
    assert "trees-1" in germane("models", "rollback").stdout
    back = json.loads(germane("models", "rollback", "--json").stdout)
    assert back == {"retired": "trees-1", "now": "the online blend alone"}


def test_a_list_that_is_made_ahead_has_trees_of_its_own() -> None:
    """Trained where a surface asks for it; until there are any, the blend alone ranks such a list."""
    base = a_shop(surface={"diversity_quota": 0.0, "exploration_share": 0.0})
    later = replace(base.surfaces["home"], name="mail", horizon="day")
    new = replace(later, name="mail-new", already_bought="exclude")
    settings = replace(base, surfaces=base.surfaces | {"mail": later, "mail-new": new})
    assert heads_of(base) == ("", NEW)
    assert heads_of(settings) == ("", NEW, AHEAD, AHEAD_NEW)
    engine = Engine(settings, MemoryStore(), SharedModel(settings), FakeWorld(), key=b"k" * 32)
    for number in range(40):
        engine.fold_item(an_item(number))
    engine.accept_now(
        [an_event("Product Viewed", item=f"i{n % 7}", user=f"p{n}") for n in range(60)]
    )

    def first(surface: str) -> str:
        (decision,), _ = engine.decide("p1", "", "", [Ask(surface)])
        return decision.items[0].item_id

    plain = first("home")
    assert first("mail") == plain
    rare = that_likes("tried_fast", seq=1).forests[""]
    down = [replace(each, leaf_value=(0.0, -50.0)) for each in rare.trees]
    engine.model.use(Trained("trees-1", {"": replace(rare, trees=tuple(down))}))
    assert first("home") != plain
    assert first("mail") == plain
    engine.model.use(Trained("trees-1", {AHEAD: replace(rare, trees=tuple(down))}))
    assert first("home") == plain
    assert first("mail") != plain


def test_lessons_of_those_who_had_come_back_are_told_from_the_log() -> None:
    """What was taken after a day away, and later that day, is what a list made ahead should have had."""
    base = a_shop()
    settings = replace(base, surfaces={"home": replace(base.surfaces["home"], horizon="day")})
    world = FakeWorld()
    engine = Engine(settings, MemoryStore(), SharedModel(settings), world, key=b"k" * 32)
    for number in range(30):
        engine.fold_item(an_item(number))
    hour = 3_600_000
    start = world.now_ms()
    for day in range(6):
        for step, item in enumerate((f"i{day}", f"i{day + 1}", f"i{day + 2}")):
            at_ms = start + day * 24 * hour + step * hour
            world.advance(seconds=(at_ms - world.now_ms()) / 1000)
            engine.accept_now([an_event("Product Viewed", item=item, user="ann", at_ms=at_ms)])
    collector = collect(engine.store, settings)
    found = collector.lessons(AHEAD)
    assert len(found) >= 3
    ends = np.cumsum(found.sizes)
    taken = [int(each.sum()) for each in np.split(found.taken, ends[:-1])]
    assert max(taken) >= 2


def test_whoever_comes_back_teaches_the_lists_that_are_made_ahead_whatever_else_is_a_lesson() -> (
    None
):
    """Where there are such lists, where events do not come in a rush, and not of what comes late."""
    base = a_shop()
    ahead = replace(base, surfaces={"home": replace(base.surfaces["home"], horizon="day")})
    day = 86_400_000
    for settings, wanted in ((base, set[str]()), (ahead, {AHEAD})):
        model, now = SharedModel(settings), 10 * day
        for number in range(30):
            model.put_item(number + 1, an_item(number))
        took = [Interaction(f"i{n}", "view", now - 2 * day) for n in range(5)]
        known = Profile("u:ann", recent=tuple(took))
        model.fold(40, model.observe(Profile("u:bob"), took, at_ms=now - 2 * day, lesson=False))
        for profile, found in ((known, wanted), (Profile("u:bob"), set[str]())):
            again = [Interaction("i3", "view", now)]
            told = model.observe(profile, again, at_ms=now, lesson=False, ahead=True)
            assert {each.surface for each in told.examples} == found
            unheard = [Interaction("elsewhere", "view", now)]  # something else may be taken later
            told = model.observe(profile, unheard, at_ms=now, lesson=True)
            assert {each.surface for each in told.examples} == found
            worse = [Interaction("i3", "dismiss", now)]
            told = model.observe(profile, worse, at_ms=now, lesson=True, ahead=True)
            assert not told.examples
        before = model.blend("")
        model.fold(41, model.observe(known, again, at_ms=now, lesson=False, ahead=True))
        assert (model.blend(""), model.lessons) == (before, 0)
    assert tells_of_a_day(day, day, day - 100)
    assert not tells_of_a_day(day, day, day - 99)
    assert not tells_of_a_day(day, 3 * day, 0)


def test_the_first_trees_for_lists_that_are_made_ahead_need_not_be_proven_better(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Than a blend that is made for something else; for the next step they must, and none may be worse."""
    for lead, head, ranks in ((0.5, "", False), (0.5, AHEAD, True), (-2.0, AHEAD, False)):
        verdict = judge.Verdict(90, 0.4, 0.4 + lead * 0.01, 0.01)
        monkeypatch.setattr(judge, "compare", lambda *_, found=verdict: found)
        blobs = FolderBlobs(tmp_path / f"models-{lead}-{head}")
        some = told(300, bump=False, head=head)
        report = train_on(engine.model, some, blobs, SPEC, heads=[head], seq=1)
        assert report.promoted == ranks, (lead, head)
