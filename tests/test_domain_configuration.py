"""Configurations compared: no difference where there is none, and none is overlooked."""

import random
from dataclasses import asdict, replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal.domain.collection_access import Level
from portal.domain.collection_rules import CollectionSettings
from portal.domain.configuration import (
    Change,
    Configuration,
    GroupSetting,
    PolicySetting,
    apply,
    beside,
    diff,
    diff_of,
    flat,
    keys_of,
    match,
    pointer,
)
from portal.domain.configuration_files import BadFile, Rules, read_tree, write_tree
from portal.domain.names import name_ci, squeeze
from portal.domain.policies import DATA, PolicyKind
from portal.domain.policy_data import (
    FillAssist,
    MasterPassword,
    SendControls,
    UriMatching,
    VaultBanner,
    VaultTimeout,
)

words = st.text(alphabet="abcDEé 01/~()", min_size=1, max_size=8).filter(lambda text: text.strip())
ids = st.sampled_from(["servers", "finance", "a/b", "~1", "007", "true", "x y"])
levels = st.dictionaries(ids, st.one_of(st.none(), st.sampled_from(Level)), max_size=4)
DATAS = {
    PolicyKind.MASTER_PASSWORD: st.builds(
        MasterPassword, st.integers(0, 4), st.integers(12, 128), st.booleans()
    ),
    PolicyKind.VAULT_TIMEOUT: st.builds(VaultTimeout, st.integers(1, 1440)),
    PolicyKind.URI_MATCH: st.just(UriMatching()),
    PolicyKind.VAULT_BANNER: st.builds(VaultBanner, st.just(""), words),
    PolicyKind.SEND_CONTROLS: st.builds(SendControls, st.booleans(), hours=st.integers(1, 744)),
    PolicyKind.FILL_ASSIST: st.builds(FillAssist, st.just("https://rules.example/fill.json")),
}
DULL = [kind for kind in PolicyKind if kind not in DATA]


@st.composite
def policies(draw):
    found = {}
    for kind in draw(st.sets(st.sampled_from([*DULL, *DATAS]))):
        is_on = draw(st.booleans())
        found[kind] = PolicySetting(is_on, draw(DATAS[kind]) if is_on and kind in DATAS else None)
    return found


groups = st.lists(
    st.builds(
        GroupSetting, words.map(squeeze), st.one_of(st.none(), st.just(""), words.map(str.strip))
    ).flatmap(lambda group: levels.map(lambda given: replace(group, collections=given))),
    max_size=5,
    unique_by=lambda group: group.external_id or object(),
)
settings = st.dictionaries(st.sampled_from(list(asdict(CollectionSettings()))), st.booleans())
configurations = st.builds(
    Configuration,
    policies=policies(),
    settings=settings,
    groups=groups,
    collections=st.dictionaries(ids, st.just("")),
)


@given(configurations)
def test_nothing_differs_from_itself(one):
    assert diff_of(one, one) == ()
    assert diff_of(one, replace(one, removes_others=True)) == ()
    assert diff(flat(one), flat(one), removes_others=True) == ()


@given(configurations, st.randoms(use_true_random=False))
def test_the_order_of_anything_is_no_difference(one, chance: random.Random):
    def shuffled(found):
        entries = list(found.items()) if isinstance(found, dict) else list(found)
        chance.shuffle(entries)
        return type(found)(entries)

    other = Configuration(
        policies=shuffled(one.policies),
        settings=shuffled(one.settings),
        groups=[
            replace(group, collections=shuffled(group.collections))
            for group in shuffled(list(one.groups))
        ],
        collections=shuffled(one.collections),
    )
    assert diff_of(one, other) == diff_of(other, one) == ()
    assert write_tree(one) == write_tree(other)


@given(configurations)
def test_a_default_is_the_same_whether_it_is_written_or_not(wanted):
    defaults = Configuration(
        policies={kind: PolicySetting(is_on=False) for kind in PolicyKind},
        settings=asdict(CollectionSettings()),
    )
    assert diff_of(Configuration(), defaults) == diff_of(defaults, Configuration()) == ()
    without = Configuration(
        policies=wanted.policies, settings=wanted.settings, collections=wanted.collections
    )
    assert diff_of(Configuration(), without) == diff_of(defaults, without)


@given(configurations, configurations)
def test_what_is_not_said_is_not_compared(present, wanted):
    said = flat(wanted)
    changes = diff_of(present, wanted)
    assert {change.path for change in changes} <= said.keys()
    for change in changes:
        assert said[change.path] == change.after != change.before


@given(configurations, configurations)
def test_applied_changes_leave_no_difference(present, wanted):
    before, after = beside(present, wanted)
    for removes in (False, True):
        changes = diff(before, after, removes_others=removes)
        made = apply(changes, before)
        assert diff(made, after, removes_others=removes) == ()
        assert (
            apply(diff(before, made), before).items()
            >= {path: value for path, value in made.items() if path[0] != "groups"}.items()
        )


@given(configurations, configurations)
def test_all_that_differs_applied_to_one_makes_the_other(one, other):
    """Of complete configurations, and of groups that one of them has alone, when others go."""
    one, other = _complete(one), _complete(other)
    both = {**one.collections, **other.collections}
    one, other = (replace(each, collections=both) for each in (one, other))
    before, after = beside(one, other)
    changes = diff(before, after, removes_others=True)
    assert apply(changes, before) == apply((), after)


def _complete(one):
    off = {kind: PolicySetting(is_on=False) for kind in PolicyKind}
    return replace(
        one,
        policies={**off, **one.policies},
        settings={**asdict(CollectionSettings()), **one.settings},
        groups=[replace(group, external_id=group.external_id or "") for group in one.groups],
    )


@given(configurations)
def test_a_configuration_is_the_same_after_a_file(one):
    again = read_tree(write_tree(one), Rules())
    assert diff_of(one, again) == diff_of(again, one) == ()
    assert write_tree(again) == write_tree(one)


@given(groups, groups)
def test_each_group_is_matched_once_and_keys_are_never_shared(present, wanted):
    found, left = match(present, wanted)
    taken = [id(each) for each in [*found, *left] if each]
    assert sorted(taken) == sorted(id(each) for each in present)
    for each, said in zip(found, wanted, strict=True):
        if each:
            same_id = said.external_id and each.external_id == said.external_id
            assert same_id or name_ci(each.name) == name_ci(said.name)
    keys = keys_of(wanted)
    assert len(set(keys)) == len(keys) == len(wanted)


PATHS = st.lists(words, min_size=1, max_size=3).map(tuple)


@given(PATHS, PATHS)
@example(("a/b",), ("a", "b"))
@example(("~1",), ("/",))
def test_no_two_paths_share_their_text(one, other):
    assert (pointer(one) == pointer(other)) == (one == other)


def test_a_group_is_known_by_its_external_id_before_its_name():
    ours, other = GroupSetting("Sales", "s-1"), GroupSetting("Team", "s-2")
    found, left = match([ours, other], [GroupSetting("Team", "s-1")])
    assert (found, left) == ([ours], [other])
    assert match([other], [GroupSetting("Team", "s-9")]) == ([None], [other])
    assert match([other], [GroupSetting("TEAM")]) == ([other], [])


def test_a_change_says_what_was_and_what_comes():
    present = Configuration(
        groups=(GroupSetting("Sales", "", {"servers": Level.VIEW, "old": Level.EDIT}),)
    )
    wanted = Configuration(
        policies={PolicyKind.TWO_STEP: PolicySetting(is_on=True)},
        groups=(GroupSetting("Sales", None, {"servers": Level.MANAGE}),),
    )
    here = ("groups", "Sales", "collections")
    expected = (
        Change((*here, "servers"), "view", "manage"),
        Change(("policies", "two_step", "enabled"), before=False, after=True),
    )
    assert diff_of(present, wanted) == expected
    wider = diff_of(present, replace(wanted, removes_others=True))
    assert set(wider) - set(expected) == {Change((*here, "old"), "edit", "none")}
    gone = diff_of(present, Configuration(removes_others=True))
    assert gone == (Change(("groups", "Sales", "name"), "Sales", None),)


BAD = [
    ([], "", "Write names and values here"),
    ({"format": 2}, "format", "This portal reads format 1."),
    ({"policy": {}}, "policy", "This name is not known here."),
    ({"others": "perhaps"}, "others", "Write one of: keep, remove."),
    ({"policies": {"two_step": {}}}, "policies/two_step", "“enabled” is missing here."),
    (
        {"policies": {"two_step": {"enabled": 1}}},
        "policies/two_step/enabled",
        "Write true or false.",
    ),
    (
        {"policies": {"no_such": {"enabled": True}}},
        "policies/no_such",
        "This name is not known here.",
    ),
    (
        {"policies": {"vault_timeout": {"enabled": True, "minutes": True}}},
        "policies/vault_timeout/minutes",
        "Write a whole number.",
    ),
    (
        {"policies": {"vault_timeout": {"enabled": True, "minutes": 0}}},
        "policies/vault_timeout/minutes",
        "Enter a number from 1 to 1440.",
    ),
    (
        {"policies": {"vault_timeout": {"enabled": True, "action": "shout"}}},
        "policies/vault_timeout/action",
        "Write one of: lock, sign_out.",
    ),
    (
        {"policies": {"vault_banner": {"enabled": True}}},
        "policies/vault_banner/text",
        "Enter what everybody shall read.",
    ),
    ({"settings": {"admins_reach_all": "yes"}}, "settings/admins_reach_all", "Write true or false"),
    ({"groups": [{}]}, "groups/1", "“name” is missing here."),
    ({"groups": [{"name": "x" * 101}]}, "groups/1/name", "Shorten it by 1 character"),
    ({"groups": [{"name": 7}]}, "groups/1/name", "Write a text."),
    ({"groups": {"name": "a"}}, "groups", "Write a list here"),
    ({"groups": [{"name": "A"}] * 501}, "groups", "There are more than 500 entries."),
    (
        {"groups": [{"name": "A", "external_id": "1"}, {"name": "B", "external_id": "1"}]},
        "groups/2",
        "This stands in the file twice.",
    ),
    (
        {"groups": [{"name": "A", "collections": {"x": "all"}}]},
        "groups/1/collections/x",
        "Write one of: view_hidden",
    ),
    ({"collections": [{"external_id": ""}]}, "collections/1", "Write the external id"),
    (
        {"collections": [{"external_id": "a"}, {"external_id": "a"}]},
        "collections/2",
        "This stands in the file twice.",
    ),
    (
        {"collections": [{"external_id": "a", "name": "Servers"}]},
        "collections/1/name",
        "The names of a client's collections are sealed.",
    ),
]


@pytest.mark.parametrize(("tree", "path", "text"), BAD)
def test_a_mistake_is_told_with_its_place(tree, path, text):
    with pytest.raises(BadFile) as error:
        read_tree(tree, Rules(), len)
    first = error.value.mistakes[0]
    assert first.path == path
    assert text in str(first.text)
    assert first.line == (len(path.split("/")) if path else 0)


def test_all_mistakes_are_told_at_once_but_not_a_hundred():
    tree = {"x": 1, "settings": {"y": 1}, "groups": [{}] * 40}
    with pytest.raises(BadFile) as error:
        read_tree(tree, Rules())
    assert len(error.value.mistakes) == 20


def test_a_policy_that_is_not_offered_cannot_be_set():
    tree = {"policies": {"two_step": {"enabled": True}}}
    assert read_tree(tree, Rules(policies=(PolicyKind.TWO_STEP,))).policies
    with pytest.raises(BadFile):
        read_tree(tree, Rules(policies=()))
