"""Normalize: standardises images inside the net, behind the noise."""

import torch


class Normalize(torch.nn.Module):
    """Layer that subtracts a mean and divides by a standard deviation, by channel.

    Nets that were trained elsewhere often want standardised images. With this layer in
    front of such a net, X stays in [0, 1], so that sigma and radii are in the units of
    pixels; behind ``GaussianNoise`` where a net is trained.

    Parameters
    ----------
    mean : float, array-like or tensor of shape (n_channels,)
        One value per channel, or per feature if inputs have one dimension.

    std : float, array-like or tensor of shape (n_channels,)
        Likewise.

    Raises
    ------
    ValueError
        If a standard deviation is not positive, or a value not finite; in `forward`,
        if there is another number of channels, or inputs are whole numbers.

    See Also
    --------
    GaussianNoise : Comes before it.

    Examples
    --------
    >>> import torch
    >>> from sksmooth.torch import Normalize
    >>> layer = Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    >>> layer(torch.full((1, 3, 2, 2), 0.5))[0, :, 0, 0]
    tensor([0.0655, 0.1964, 0.4178])
    >>> torch.nn.Sequential(layer, torch.nn.Flatten()).state_dict().keys()
    odict_keys([])
    """

    def __init__(self, mean, std):
        super().__init__()
        for name, values in (("mean", mean), ("std", std)):
            values = torch.as_tensor(values, dtype=torch.float64).detach().clone()
            good = values.isfinite() & ((values > 0) | (name == "mean"))
            if values.ndim > 1 or not good.all():
                rule = "finite" if name == "mean" else "finite and positive"
                raise ValueError(
                    f"{name} must be a number or one for each channel, {rule}, got "
                    f"{values.tolist()!r}."
                )
            # It moves with the net, and is not one of its weights.
            self.register_buffer(name, values.float(), persistent=False)

    def forward(self, x):
        """Return standardised inputs.

        Parameters
        ----------
        x : tensor of shape (n_inputs, n_channels, *shape)

        Returns
        -------
        standardised : tensor of the shape, dtype and device of x
        """
        if not x.is_floating_point():
            raise ValueError(
                f"inputs are of dtype {x.dtype}; standardised values are floats: pass "
                "x.float() / 255, or x.float() for a mean in the units of pixels from "
                "0 to 255."
            )
        shape = (-1, *[1] * (x.ndim - 2))
        mean, std = self.mean.to(x.dtype), self.std.to(x.dtype)
        for values in (mean, std):
            if values.ndim and len(values) != x.shape[1]:
                raise ValueError(
                    f"there are {len(values)} values for channels, but inputs of shape "
                    f"{tuple(x.shape[1:])}: channels come first."
                )
        return (x - mean.reshape(shape)) / std.reshape(shape)

    def extra_repr(self):
        """Return what `repr` shows between the brackets.

        Returns
        -------
        text : str
        """
        return f"mean={self.mean.tolist()}, std={self.std.tolist()}"
