"""What a step costs, measured on a handful of them."""

import time

from gradlab.objectives import classification
from gradlab.training import Place, Selection, step_seconds


def test_a_slow_network_costs_what_it_sleeps_and_keeps_nothing(bars, recipe, make_small_net, normalize, tmp_path):
    class Sleepy(make_small_net):
        def forward(self, images):
            time.sleep(0.03)
            return super().forward(images)

    settings = recipe(batch_size=4, epochs=50, select=Selection(), patience=3)
    place = Place(state=tmp_path)
    quick = step_seconds(make_small_net, bars, classification, settings, prepare=normalize, place=place)
    slow = step_seconds(Sleepy, bars, classification, settings, prepare=normalize, place=place)
    assert 0 < quick < slow
    assert slow > 0.03
    assert list(tmp_path.iterdir()) == []
