"""Makes the model readable. A View is one table with its notes; renderers turn views into text, JSON, CSV, xlsx or HTML."""
