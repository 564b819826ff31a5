import numpy as np

from gradlab.report import kernel_copies, lifted_grids, maps_at_angles, moved_grids
from gradlab.report.group_figures import FIRST, MARKED, SIDE

QUARTER = np.array([[0.0, -1.0], [1.0, 0.0]])
C4 = np.stack([np.linalg.matrix_power(QUARTER, power) for power in range(4)])
PRODUCT = (np.arange(4)[:, None] + np.arange(4)) % 4
NAMES = ("0°", "90°", "180°", "270°")


def middle_of(picture: np.ndarray, colour: tuple[int, int, int]) -> tuple[float, float]:
    """The middle (x, y), y upwards and from -1 to 1, of what has a colour."""
    rows, columns = (picture == colour).all(axis=-1).nonzero()
    height, width = picture.shape[:2]
    return (columns.mean() + 0.5) / width * 2 - 1, 1 - (rows.mean() + 0.5) / height * 2


def test_pictures_turn_counter_clockwise_with_their_grids_and_are_read_at_the_inverse():
    image = np.zeros((28, 28), np.uint8)
    image[:5, 23:] = 255  # the top right corner, outside the grid's reach
    pictures = moved_grids(image, C4, NAMES).images
    corners = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
    for power, (x, y) in enumerate(corners):
        found = middle_of(pictures[power], (255, 255, 255))
        assert np.sign(found).tolist() == [x, y]
        assert abs(abs(found[0]) - abs(found[1])) < 0.01
        marked, read = (middle_of(pictures[place], MARKED) for place in (power, power + 4))
        # The marked corner is the top left one: it moves along above, against the turn below.
        assert np.sign(marked).tolist() == [*np.sign(C4[power] @ (-1, 1))]
        assert np.sign(read).tolist() == [*np.sign(C4[-power] @ (-1, 1))]
        assert np.sign(middle_of(pictures[power + 4], (255, 255, 255))).tolist() == [1, 1]


def test_the_nearest_pixel_is_taken_and_black_from_outside():
    image = np.full((5, 5), 200, np.uint8)
    half = np.array([[1.0, -1.0], [1.0, 1.0]]) / 2**0.5
    turned = moved_grids(image, half[None], ["45°"]).images[0]
    assert turned[0, 0].tolist() == [0, 0, 0]
    assert turned[SIDE // 2, 2].tolist() == [200, 200, 200]


def test_the_first_sheet_lands_at_the_element_that_acted():
    pictures = lifted_grids(C4, PRODUCT, NAMES).images
    heights = [middle_of(picture, FIRST)[1] for picture in pictures]
    assert heights == sorted(heights, reverse=True)
    assert np.ptp(np.diff(heights)) < 0.02


def test_an_inverted_product_table_is_told_apart():
    right, wrong = (lifted_grids(C4, table, NAMES).images for table in (PRODUCT, PRODUCT[[0, 3, 2, 1]]))
    assert (right[1] != wrong[1]).any()


def test_frames_follow_the_first_element_s_part():
    kernels = np.arange(4 * 12 * 3, dtype=float).reshape(4, 12, 3)
    assert kernel_copies(kernels, NAMES, "kernels").frames == [(0, 0, 3, 3), (3, 0, 3, 3), (6, 0, 3, 3), (9, 0, 3, 3)]


def test_maps_stand_below_their_image_in_the_middle():
    image, maps = np.full((2, 28, 28), 9, np.uint8), np.full((2, 3, 8, 8), 77, np.uint8)
    pictures = maps_at_angles(image, maps, (0, 45), "maps", "channels")
    assert pictures.captions == ["0°", "45°"]
    assert "first 3 channels" in pictures.caption
    assert (pictures.images == 77).sum(axis=(1, 2)).tolist() == [3 * 64] * 2
    assert pictures.images[0, 29 + 10 : 29 + 18, 10:18].tolist() == [[77] * 8] * 8
