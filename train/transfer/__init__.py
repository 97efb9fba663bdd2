"""The transfer set: real tables and graphs drawn by other programs than ours, for evaluation only.

    vlm data transfer --out data/transfer

Charts are drawn by matplotlib and by Vega-Lite, graphs by Graphviz. Nothing here is ever trained or tuned on, and none
of our own renderers has a part in it, so that what is measured here is how well reading carries over.
"""
