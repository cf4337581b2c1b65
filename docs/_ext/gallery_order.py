"""The order of the examples in the gallery: those to read first, then by name."""

FIRST = ["plot_quickstart.py", "plot_linear_sanity.py", "plot_decision_regions.py"]


class ReadingOrder:
    """Sort key for sphinx-gallery, which makes one for each folder of examples."""

    def __init__(self, src_dir):
        self.src_dir = src_dir

    def __call__(self, file_name):
        place = FIRST.index(file_name) if file_name in FIRST else len(FIRST)
        return place, file_name

    def __repr__(self):
        return "reading order"  # part of the configuration that Sphinx compares
