"""The names that the original programs use, for code that is ported from them."""

from __future__ import annotations

from spikecore_plugin_ssml.attention import (
    Cbam,
    ChannelAttention,
    ChannelGate,
    CrissCross,
    NonLocalAttention,
    SpatialGate,
    TemporalAttention,
    TemporalFusion,
)
from spikecore_plugin_ssml.blocks import (
    BlindUNet,
    Conv,
    Crop,
    DecConv,
    EncConv,
    Pool,
    Rotate,
    Shift,
    Unrotate,
)
from spikecore_plugin_ssml.labels import tfi_label, tfp_label
from spikecore_plugin_ssml.losses import smoothness
from spikecore_plugin_ssml.motion import MotionInference
from spikecore_plugin_ssml.networks import BSN, BlindVideoNetSpike, DoubleNet, NorotaMultiSpike

crop = Crop
shift = Shift
rotate = Rotate
unrotate = Unrotate
ConvClass = Conv
PoolClass = Pool
ENC_Conv = EncConv
DEC_Conv = DecConv
Blind_UNet = BlindUNet
NBSN = NorotaMultiSpike
CBAM = Cbam
CAM_Module = ChannelAttention
TAM_Module = TemporalAttention
CrissCrossAttention = CrissCross
Non_Local_Attention = NonLocalAttention
Temporal_Fusion = TemporalFusion

__all__ = [
    "BSN",
    "CBAM",
    "NBSN",
    "BlindVideoNetSpike",
    "Blind_UNet",
    "CAM_Module",
    "ChannelGate",
    "Conv",
    "ConvClass",
    "CrissCrossAttention",
    "DEC_Conv",
    "DoubleNet",
    "ENC_Conv",
    "MotionInference",
    "Non_Local_Attention",
    "NorotaMultiSpike",
    "Pool",
    "PoolClass",
    "SpatialGate",
    "TAM_Module",
    "Temporal_Fusion",
    "crop",
    "rotate",
    "shift",
    "smoothness",
    "tfi_label",
    "tfp_label",
    "unrotate",
]
