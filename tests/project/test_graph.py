from hypothesis import given
from hypothesis import strategies as st

from mage_project.project import Block
from mage_project.project.graph import find_cycle, in_order


def test_the_files_order_stands_where_the_graph_leaves_a_choice():
    assert in_order({"export": ["load"], "load": [], "check": []}) == ["load", "export", "check"]


def test_there_is_no_cycle_in_a_line():
    assert find_cycle([Block(uuid="a", type="custom"), Block(uuid="b", type="custom", upstream=("a",))]) == []


@given(st.lists(st.sets(st.integers(0, 9)), min_size=10, max_size=10))
def test_every_block_comes_after_its_upstream(raw):
    upstream = {str(i): [str(j) for j in ups if j < i] for i, ups in enumerate(raw)}
    order = in_order(dict(reversed(upstream.items())))
    assert sorted(order) == sorted(upstream)
    assert all(order.index(up) < order.index(name) for name, ups in upstream.items() for up in ups)
