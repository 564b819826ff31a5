"""The kernel of augmentation: how it is compiled, and what is recorded of it."""

from gradlab.augment import native, native_augmentation
from gradlab.nn.native import FLAGS


def test_places_of_crops_are_rounded_as_torch_rounds_them():
    assert "-ffp-contract=off" in native.KERNEL.flags
    assert not {"-ffast-math", "-Ofast", "-funsafe-math-optimizations"} & {*FLAGS, *native.KERNEL.flags}


def test_the_record_says_which_kernel_it_was(monkeypatch):
    found = native.kernel()
    assert native_augmentation() == native.KERNEL.told()
    assert (native_augmentation() == "torch") == (found is None)
    monkeypatch.setenv("GRADLAB_NATIVE", "0")
    assert native_augmentation() == "torch"
    assert native.kernel() is None
