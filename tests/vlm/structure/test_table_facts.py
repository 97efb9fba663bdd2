from tests.readings import notice, table
from vlm.structure import table_facts as facts

PRICES = table(
    "Item|Price|Share|Year", "Tea|$1,200|40 %|2019", "Milk|$300|10%|2020", "Jam|-|50%|2021", "Salt|$300||2022"
)


def test_a_cell_is_found_by_its_row_and_its_heading():
    assert facts.look_up(PRICES, "tea", "PRICE").text == "$1,200"
    assert facts.look_up(PRICES, "Tea", "Weight") is facts.look_up(PRICES, "Fish", "Price") is None
    assert facts.look_up(table("A|B", "x|1", "x|2"), "x", "B") is None  # which of the two?


def test_a_column_of_numbers_may_have_a_gap_and_one_of_words_is_none():
    assert facts.numbers_in(PRICES, 1) == ((0, 1200), (1, 300), (3, 300))
    assert facts.numbers_in(PRICES, 0) == ()
    assert facts.numbers_in(table("A", "1", "two", "three"), 0) == ()


def test_extremes_are_shared():
    numbers = facts.numbers_in(PRICES, 1)
    assert facts.highest_rows(numbers) == (0,)
    assert facts.lowest_rows(numbers) == (1, 3)


def test_the_total_row_is_checked_and_not_counted():
    right = table("A|B", "x|1.5", "y|2", "All|3.5", total_row=True)
    wrong = table("A|B", "x|1.5", "y|2", "All|8.5", total_row=True)
    assert facts.column_sum(right, 1) == 3.5
    assert facts.total_agrees(right, 1) is True
    assert facts.total_agrees(wrong, 1) is False
    assert facts.total_agrees(PRICES, 1) is None
    assert "B does not add up: the total row says 8.5" in facts.describe_table(wrong)


def test_a_table_in_words_sums_neither_shares_nor_years():
    assert facts.describe_table(PRICES) == [
        "table: 4 columns, 4 rows",
        "Price: highest $1,200 (Tea), lowest $300 (Milk and Salt), sum 1800",
        "Share: highest 50% (Jam), lowest 10% (Milk)",
    ]


def test_a_table_without_rows_is_described():
    assert facts.describe_table(table("A|B")) == ["table: 2 columns, 0 rows"]
    assert facts.total_agrees(table("A|B", total_row=True), 1) is None


def receipt(total):
    return notice(
        (("shop", "Corner"),),
        (("item", "Tea"), ("price", "$3")),
        (("item", "Jam"), ("price", "$4.50")),
        (("total", total),),
    )


def test_prices_are_what_stands_beside_items():
    assert facts.prices(receipt("$7.50")) == (("Tea", 3.0), ("Jam", 4.5))
    assert facts.describe_notice(receipt("$7.50")) == [
        "receipt: 4 lines, 8 words",
        "2 items with a price, 7.5 together",
    ]


def test_a_total_that_is_another_is_told():
    assert "the total says 9: something is misread, missing or added" in facts.describe_notice(receipt("$9"))
