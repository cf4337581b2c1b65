"""A hash of what an object holds: by value, the same in every process.

An object is taken apart as pickle does it, so what could be told apart after pickling
is told apart here, and what cannot be pickled is refused. Unlike a pickle, the hash
does not depend on which parts are shared, where they are in memory, or in which order
sets and attributes come. `_forms` says what of a few types counts.
"""

import copyreg
import io
import pickle
from hashlib import blake2b
from types import BuiltinFunctionType, FunctionType
from typing import NamedTuple

import numpy as np

from ._forms import Attributes, Opaque, canonical, full_name, is_net_or_part

_ATOMS = (type(None), bool, int, float, complex, str, bytes, bytearray)
_CONTAINERS = {list, tuple, dict, set, frozenset, Attributes, np.ndarray}
_FUNCTIONS = (type, FunctionType, BuiltinFunctionType)

# Protocol 5 would hand out buffers, which are no values.
_PROTOCOL = 4


class _Opened(NamedTuple):
    """An object taken apart."""

    head: bytes  # tells it from others with the same names and children
    names: tuple = ()  # of bytes; those that begin with "." are text
    children: tuple = ()


def hash_contents(*versions):
    """Return a hash of an object, or of what several versions of it have in common.

    Parameters
    ----------
    *versions : object
        The same object at different times. A part that differs counts as "differs". A
        collection that has gained or lost elements counts as a whole, but for what
        has the same text as its key in all versions; so do attributes.

    Returns
    -------
    hash : bytes

    Raises
    ------
    ValueError
        If something in it cannot be pickled; says where.
    """
    walk = _Walk()
    # Generators, not functions that call themselves: objects nest deeply.
    under_way, result = [(b"", walk.hash(versions))], None
    while under_way:
        try:
            name, part = under_way[-1][1].send(result)
        except StopIteration as done:
            under_way.pop()
            result = done.value
        except Exception as error:
            where = b"".join(name for name, _ in under_way).decode(errors="replace")
            raise ValueError(f"{where}: {error}" if where else str(error)) from error
        else:
            under_way.append((name, walk.hash(part)))
            result = None
    return result


class _Walk:
    """Through an object, in which parts may occur more than once."""

    def __init__(self):
        # By identity; what is in there stays alive, so that no identity is used twice.
        self.seen, self.alive = {}, []

    def hash(self, versions):
        """Return the hash of an object; yields its parts, and is sent their hashes."""
        key = tuple(map(id, versions))
        if key in self.seen:
            return self.seen[key]
        head, names, parts = _in_common(versions, [_open(one) for one in versions])
        text = blake2b(head)
        if parts:
            # Inside of itself, an object is told by when it was come across.
            self.seen[key] = b"within %d" % len(self.alive)
            self.alive.append(versions)
        for name, part in zip(names, parts, strict=True):
            _add(text, name)
            _add(text, (yield name, part))
        if parts:
            self.seen[key] = text.digest()
        return text.digest()


def as_unpickled(obj):
    """Return an object as another process would find it; itself if that fails.

    Some objects look different once they have been pickled. Nets do not, and stay
    where they are.
    """
    nets = []

    def keep(part):
        if not is_net_or_part(part):
            return None
        nets.append(part)
        return len(nets) - 1

    try:
        file = io.BytesIO()
        pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
        pickler.persistent_id = keep
        pickler.dump(obj)
        file.seek(0)
        unpickler = pickle.Unpickler(file)
        unpickler.persistent_load = nets.__getitem__
        return unpickler.load()
    except Exception:  # what of it counts may be picklable all the same
        return obj


def _add(text, part):
    text.update(len(part).to_bytes(8, "little"))
    text.update(part)


def _in_common(versions, opened):
    """Return head, names and children that are common to all versions.

    A child is a tuple, of that part of each version.
    """
    first, *others = opened
    if any(one.head != first.head for one in others):
        kinds = b", ".join(sorted({full_name(type(one)) for one in versions}))
        return _common_numbers(versions) or b"differs: " + kinds, (), ()
    children = zip(*(one.children for one in opened), strict=False)
    if all(one.names == first.names for one in others):
        return b"=" + first.head, first.names, tuple(children)
    maps = [dict(zip(one.names, one.children, strict=True)) for one in opened]
    names = sorted(
        name for name in set.intersection(*map(set, maps)) if name.startswith(b".")
    )
    children = [tuple(one[name] for one in maps) for name in names]
    return b"~" + first.head, tuple(names), tuple(children)


def _common_numbers(versions):
    """Return what arrays of one kind have in common, element by element, or None."""
    first = versions[0]
    if not all(type(one) is np.ndarray for one in versions) or first.dtype.hasobject:
        return None
    if any((one.dtype, one.shape) != (first.dtype, first.shape) for one in versions):
        return None
    if first.dtype.names is not None or not first.nbytes:
        return None
    rows = [_as_bytes(one).reshape(first.size, -1) for one in versions]
    same = np.all([np.all(rows[0] == one, axis=1) for one in rows[1:]], axis=0)
    text = blake2b(b"differs in part" + _kind(first))
    for part in (np.packbits(same), np.ascontiguousarray(rows[0][same])):
        _add(text, part.data.cast("B") if part.size else b"")
    return text.digest()


def _open(obj):
    """Take an object apart, if it is none."""
    cls = type(obj)
    if cls in _ATOMS:
        if cls in (bytes, bytearray):
            text = bytes(obj)
        elif cls is str:
            text = obj.encode("utf-8", "surrogatepass")
        elif cls is int:
            text = b"%x" % obj
        else:
            text = repr(obj).encode()
        return _Opened(cls.__name__.encode() + b":" + text)
    if cls not in _CONTAINERS:
        form = canonical(obj)
        if form is not obj:
            obj, cls = form, type(form)
    if cls is Opaque:
        return _Opened(obj.name + hash_contents(obj.content))
    if isinstance(obj, np.generic):
        head, *parts = _open_array(np.asarray(obj))
        return _Opened(b"one of " + head, *parts)
    if cls in (np.ndarray, np.memmap):
        return _open_array(np.asarray(obj))
    if cls in (list, tuple):
        names = tuple(b"[%d]" % place for place in range(len(obj)))
        return _Opened(cls.__name__.encode(), names, tuple(obj))
    if cls in (dict, Attributes):
        names = [_key(key) for key in obj]
        children = list(obj.values())
        if cls is Attributes:  # their order says nothing
            order = sorted(range(len(names)), key=names.__getitem__)
            names = [names[place] for place in order]
            children = [children[place] for place in order]
        return _Opened(cls.__name__.encode(), tuple(names), tuple(children))
    if cls in (set, frozenset):
        elements = sorted(hash_contents(one) for one in obj)
        return _Opened(cls.__name__.encode() + b"".join(elements))
    if isinstance(obj, _FUNCTIONS) and getattr(obj, "__self__", None) is None:
        return _Opened(b"global" + pickle.dumps(obj, _PROTOCOL))
    return _reduce(obj)


def _key(key):
    """Return what tells a key of a dict from others."""
    if type(key) is str:
        return b"." + key.encode("utf-8", "surrogatepass")
    return b"[" + hash_contents(key).hex().encode() + b"]"


def _open_array(array):
    kind = _kind(array)
    if array.dtype.names is not None:  # between fields there may be anything
        names = tuple(b"." + name.encode() for name in array.dtype.names)
        return _Opened(kind, names, tuple(array[name] for name in array.dtype.names))
    if array.dtype.hasobject:
        names = tuple(b"[%d]" % place for place in range(array.size))
        return _Opened(kind, names, tuple(array.ravel().tolist()))
    text = blake2b(kind)
    text.update(_as_bytes(array))
    return _Opened(b"array" + text.digest())


def _kind(array):
    return (
        f"array {array.dtype.descr if array.dtype.names else array.dtype.str} ".encode()
        + repr(array.shape).encode()
    )


def _as_bytes(array):
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(np.uint8) if flat.nbytes else np.empty(0, np.uint8)


def _reduce(obj):
    """Take an object apart as pickle does."""
    special = copyreg.dispatch_table.get(type(obj))
    reduced = special(obj) if special else obj.__reduce_ex__(_PROTOCOL)
    if isinstance(reduced, str):
        return _Opened(b"global" + pickle.dumps(obj, _PROTOCOL))
    function, arguments, state, elements, items, setter = (*reduced, *[None] * 4)[:6]
    parts = {b"": function, b"()": arguments}
    if type(state) is tuple and len(state) == 2 and type(state[1]) is dict:
        # Attributes, and those that have slots.
        state, parts[b" slots"] = state[0], Attributes(state[1])
    parts[b" state"] = Attributes(state) if type(state) is dict else state
    if elements is not None:
        parts[b" elements"] = list(elements)
    if items is not None:
        parts[b" items"] = dict(items)
    if setter is not None:
        parts[b" setter"] = setter
    return _Opened(full_name(type(obj)), tuple(parts), tuple(parts.values()))
