"""Looking into a network: what it attends to."""

from .maps import AttentionMaps, attention_maps
