"""What the values of options may be: votes, lists of numbers, noise levels."""

import csv
import math

import click

from ..noise._sigma import is_one_number

# A probability of being wrong.
ALPHA = click.FloatRange(0, 1, min_open=True, max_open=True)

# Far from where sums and quotients of such numbers are infinite.
_LARGEST = 1e100


class Votes(click.IntRange):
    """A number of votes."""

    def __init__(self, most):
        super().__init__(min=1)
        self.most = most

    def convert(self, value, param, ctx):
        n = super().convert(value, param, ctx)
        if n > self.most:
            self.fail(
                f"{n} is more than {self.most:,}; nobody could wait for more. Ten "
                "times as many votes add about 5 % to the largest radius."
            )
        return n


class Numbers(click.ParamType):
    """Numbers separated by commas, such as 0,0.25,0.5."""

    name = "number,..."  # how it is called in the help

    def __init__(self, minimum, *, open=False):
        self.minimum = minimum
        self.open = open

    def convert(self, value, param, ctx):
        try:
            numbers = tuple(float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers such as 0.25,0.5.")
        for number in numbers:
            if number > _LARGEST or 0 < number < 1 / _LARGEST:
                self.fail(
                    f"{number:g} is beyond what radii can be computed for: choose a "
                    f"unit in which it is between {1 / _LARGEST:g} and {_LARGEST:g}."
                )
            low = number <= self.minimum if self.open else number < self.minimum
            if low or not number < float("inf"):
                bound = f"{'above' if self.open else 'at least'} {self.minimum:g}"
                self.fail(f"{number:g} must be {bound} and finite.")
        return numbers


class WholeNumbers(click.ParamType):
    """Whole numbers from 0 on, separated by commas, such as 0,1,2."""

    name = "number,..."

    def convert(self, value, param, ctx):
        if not isinstance(value, str):
            return value
        parts = value.split(",")
        if not all(part.isascii() and part.isdecimal() for part in parts):
            self.fail(f"{value!r} is not a list of whole numbers such as 0,1,2.")
        return tuple(dict.fromkeys(int(part[:6]) for part in parts))


class ImageShape(click.ParamType):
    """Height, width and perhaps channels of an image, such as 28x28 or 32x32x3."""

    name = "HxW[x3]"

    def convert(self, value, param, ctx):
        parts = value.split("x")
        digits = all(part.isdecimal() and 0 < int(part) < 10**6 for part in parts)
        if not (digits and len(parts) in (2, 3)):
            self.fail(f"{value!r} is not of the form 28x28 or 32x32x3.")
        return tuple(map(int, parts))


class Sigma(click.ParamType):
    """A noise level, or one for each of some columns: 0.5, or amount=0.3,*=0."""

    name = "number|column=number,..."

    def convert(self, value, param, ctx):
        if not isinstance(value, str):
            return value
        if "=" not in value:
            return self._level(value, positive=True)
        # A column's name may hold a comma: "a,b=0.3",c=1 as in a .csv file.
        try:
            (parts,) = csv.reader([value], skipinitialspace=True, strict=True)
        except (csv.Error, ValueError):
            self.fail(
                f"{value!r} is not COLUMN=NUMBER,... in one line, with double quotes "
                "in pairs."
            )
        levels = {}
        for part in parts:
            column, equals, number = part.rpartition("=")
            column = column.strip()
            if not (column and equals):
                self.fail(
                    f"{part!r} is not of the form COLUMN=NUMBER, as in amount=0.3 (a "
                    "part with a comma in the name goes between double quotes)."
                )
            if column in levels:
                self.fail(f"column {column!r} is named twice.")
            levels[column] = self._level(number, positive=False)
        if not any(levels.values()):
            self.fail("one column at least needs noise, a number above 0.")
        return levels

    def _level(self, text, positive):
        try:
            level = float(text)
        except ValueError:
            level = math.nan
        if level == 0 and any(digit in text.partition("e")[0] for digit in "123456789"):
            self.fail(f"{text!r} is too small to be told from 0.")
        if not (math.isfinite(level) and (level > 0 if positive else level >= 0)):
            least = "above 0" if positive else "of at least 0"
            self.fail(f"{text!r} is not a finite number {least}, nor COLUMN=NUMBER,...")
        return level


def sigma_text(sigma):
    """Return a noise level as text, in one line."""
    if isinstance(sigma, dict):
        return ",".join(f"{name}={level:g}" for name, level in sigma.items())
    return f"{sigma:g}" if is_one_number(sigma) else "an array"
