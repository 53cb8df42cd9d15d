"""Class names of SpikeCLIP's two data sets, in the order of its labels."""

from __future__ import annotations

from spikecore_plugin_simulate.config import Dataset

_CALTECH = """
accordion airplanes anchor ant barrel bass beaver binocular bonsai brain brontosaurus buddha butterfly camera cannon
car ceilingfan cellphone chair chandelier cougarbody cougarface crab crayfish crocodile crocodilehead cup dalmatian
dollarbill dolphin dragonfly electricguitar elephant emu euphonium ewer faces ferry flamingo flamingohead garfield
gerenuk gramophone grandpiano hawksbill headphone hedgehog helicopter ibis inlineskate joshuatree kangaroo ketch lamp
laptop Leopards llama lobster lotus mandolin mayfly menorah metronome minaret Motorbikes nautilus octopus okapi pagoda
panda pigeon pizza platypus pyramid revolver rhino rooster saxophone schooner scissors scorpion seahorse snoopy
soccerball stapler starfish stegosaurus stopsign strawberry sunflower tick trilobite umbrella watch waterlilly
wheelchair wildcat windsorchair wrench yinyang background
"""

NAMES = {
    Dataset.CIFAR: ("frog", "horse", "dog", "truck", "airplane", "automobile", "bird", "ship", "cat", "deer"),
    Dataset.CALTECH: tuple(_CALTECH.split()),
}
