"""A world of three competencies and four courses: whoever reads it knows the answers. One more is of another world."""

from __future__ import annotations

from model.competence import UNANSWERABLE
from model.domain import Catalog, Course
from model.lexicon import Competency, Lexicon

NAMES = ("公文写作", "应急处突", "党纪学习教育")
WORDS = {
    "公文写作": ("写材料", "请示报告"),
    "应急处突": ("突发事件处置", "现场指挥"),
    "党纪学习教育": ("纪律处分条例", "红线"),
}
LEXICON = Lexicon(
    tuple(Competency(name, "履职能力", "能力", f"会{name}。", (), WORDS[name], ()) for name in NAMES), (), (), (), ()
)
PHRASES = {
    "材料写不出来": "公文写作",
    "出了事手忙脚乱": "应急处突",
    "条例没读过": "党纪学习教育",
    "一切都好": UNANSWERABLE,
}
CATALOG = Catalog(
    (
        Course("c1", "公文写作十讲", "讲请示、报告、纪要怎样立意和改稿。"),
        Course("c2", "突发事件现场指挥", "讲先期处置、信息报告和协同。"),
        Course("c3", "《纪律处分条例》逐条读", "讲六大纪律和常见违纪情形。"),
        Course("c4", "插花与茶艺", "学习家庭插花。"),
    )
)
KNITTING = Catalog(
    (
        Course("k1", "棒针起针法"),
        Course("k2", "毛衣绞花图解"),
        Course("k3", "钩针花样入门"),
        Course("k4", "蕾丝披肩"),
        Course("k5", "袜跟织法"),
    )
)
