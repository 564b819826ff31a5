"""Several views of each image, for methods that learn what views have in common."""

from torch import Tensor

from gradlab.augment.pipeline import Transform


class ContrastiveTransformations:
    """Takes `n_views` random views of every image, each with its own share of the image's random numbers.

    [batch, ...] becomes [n_views * batch, ...]: view v of image i is at v * batch + i, so that with two views the
    partner of i is at (i + batch) mod 2 * batch. The last transform of a pipeline, since what follows would find more
    images than rows of random numbers.

    Args:
        base_transforms: what makes one view.
        n_views: how many views each image gives, at least 1.

    Raises:
        ValueError: `n_views` is below 1.

    Source: handbook, practical 5. Differs from the handbook: one tensor, where that gives a list of views.
    """

    whole_batch = True
    """Where a view ends up depends on the size of the batch, so the batches of seeds must not be joined."""

    def __init__(self, base_transforms: Transform, n_views: int = 2) -> None:
        if n_views < 1:
            raise ValueError(f"n_views must be at least 1: got {n_views}")
        self.base_transforms, self.n_views = base_transforms, n_views
        self.uniforms = n_views * base_transforms.uniforms

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Returns the views [n_views * batch, channels, height, width], given uniforms [batch, `uniforms`]."""
        # All views in one go: joining them afterwards would copy floats, this copies the images.
        of_a_view = self.base_transforms.uniforms
        rows = uniforms.reshape(len(images), self.n_views, of_a_view).transpose(0, 1)
        return self.base_transforms(
            images.repeat(self.n_views, 1, 1, 1), rows.reshape(len(images) * self.n_views, of_a_view)
        )
