"""The papers of the metrics, as BibTeX."""

from __future__ import annotations

WANG_2004 = """\
@article{wang2004image,
  title   = {Image Quality Assessment: From Error Visibility to Structural Similarity},
  author  = {Wang, Zhou and Bovik, Alan C. and Sheikh, Hamid R. and Simoncelli, Eero P.},
  journal = {IEEE Transactions on Image Processing},
  volume  = {13},
  number  = {4},
  pages   = {600--612},
  year    = {2004}
}"""

WANG_2003 = """\
@inproceedings{wang2003multiscale,
  title     = {Multiscale Structural Similarity for Image Quality Assessment},
  author    = {Wang, Zhou and Simoncelli, Eero P. and Bovik, Alan C.},
  booktitle = {Asilomar Conference on Signals, Systems and Computers},
  pages     = {1398--1402},
  year      = {2003}
}"""

ZHANG_2018 = """\
@inproceedings{zhang2018unreasonable,
  title     = {The Unreasonable Effectiveness of Deep Features as a Perceptual Metric},
  author    = {Zhang, Richard and Isola, Phillip and Efros, Alexei A. and Shechtman, Eli and Wang, Oliver},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
  year      = {2018}
}"""

MITTAL_2013 = """\
@article{mittal2013making,
  title   = {Making a ``Completely Blind'' Image Quality Analyzer},
  author  = {Mittal, Anish and Soundararajan, Rajiv and Bovik, Alan C.},
  journal = {IEEE Signal Processing Letters},
  volume  = {20},
  number  = {3},
  pages   = {209--212},
  year    = {2013}
}"""

MITTAL_2012 = """\
@article{mittal2012no,
  title   = {No-Reference Image Quality Assessment in the Spatial Domain},
  author  = {Mittal, Anish and Moorthy, Anush Krishna and Bovik, Alan Conrad},
  journal = {IEEE Transactions on Image Processing},
  volume  = {21},
  number  = {12},
  pages   = {4695--4708},
  year    = {2012}
}"""

VENKATANATH_2015 = """\
@inproceedings{venkatanath2015blind,
  title     = {Blind Image Quality Evaluation Using Perception Based Features},
  author    = {Venkatanath, N. and Praneeth, D. and Bh, Maruthi Chandrasekhar and Channappayya, Sumohana S. and
               Medasani, Swarup S.},
  booktitle = {National Conference on Communications (NCC)},
  year      = {2015}
}"""
