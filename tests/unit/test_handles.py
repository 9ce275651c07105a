"""Two conversations that go on at once are not both called after one bird."""

from chat.core.handles import BIRDS, new_handle, spoken


def birds(handles: list[str]) -> list[str]:
    """Return the bird of each handle."""
    return [handle.partition("-")[0] for handle in handles]


def test_no_bird_comes_twice_while_another_is_free() -> None:
    borne: list[str] = []
    for _ in BIRDS:
        borne.append(new_handle(borne))
    assert len(set(birds(borne))) == len(BIRDS)


def test_when_all_are_taken_the_one_that_the_fewest_bear_comes_next() -> None:
    keys = [key for key, _, _ in BIRDS]
    assert birds([new_handle(f"{key}-417" for key in [*keys, *keys[1:]])]) == keys[:1]


def test_nobody_is_called_by_a_first_name_and_the_archive_still_speaks_the_former_ones() -> None:
    assert not {"robin", "martin"} & {key for key, _, _ in BIRDS}
    assert (spoken("robin-417", "en"), spoken("martin-417", "fr")) == ("Robin 417", "Hirondelle 417")
