"""The words of the field on the pages: each with one plain sentence, shown where the word stands and listed on the help page."""

from __future__ import annotations

from flask_babel import gettext

from service.wire.languages import marked

# By subject, in the order in which somebody meets them; `docs/glossary.md` has the same terms.
SUBJECTS: dict[str, dict[str, str]] = {
    marked("花名册和人"): {
        marked("花名册"): marked("参训对象的名单：每人一行，写明姓名、单位、职务，有短板或测试成绩的一并写上。"),
        marked("人员"): marked("名册里的一个人，只用来安排培训，不打分、不排名。"),
        marked("单位"): marked("人员所在的单位，如一个镇党委、一个县直部门。"),
        marked("职务"): marked("人员担任的职务，如镇党委书记；系统由职务认出岗位和层级。"),
        marked("岗位"): marked("职务所属的一类工作；同一类岗位要学的内容相同。"),
        marked("岗位族"): marked("职责相同的一类岗位，如乡镇街道、财税金融。"),
        marked("层级"): marked("职务的级别，如乡科级正职；课程写明面向哪些层级，层级不符的人不会排进去。"),
        marked("层次"): marked("几个相近的层级合在一起，如乡科级包括正职和副职。"),
        marked("待核对"): marked("一个读不准的单元格，以及它可能应当怎样写。"),
        marked("经办人"): marked("采纳、不采纳推荐的人，即使用本系统安排培训的人。"),
        marked("工作台"): marked("您正在用的名册和还没保存的结果，加密暂存，几小时不用即自动清除。"),
    },
    marked("短板和需求"): {
        marked("短板"): marked("名册上写明的不足，用本人、组织的原话，或由测试成绩得出。"),
        marked("缺口"): marked("要补的一条内容：或是短板，或是岗位要求而要学的。"),
        marked("缺什么补什么"): marked("因为这个人有这条短板，所以学。"),
        marked("干什么学什么"): marked("因为岗位要求具备，所以学，不管有没有写短板。"),
        marked("能力"): marked("培训可以补的一项本领，如公文写作；不同说法的短板归到同一项能力。"),
        marked("需求"): marked("一批人的全部缺口，以及能补上它们的课程。"),
        marked("共性需求"): marked("至少两成、且不少于三人都有的需求，宜排进班次一起补。"),
        marked("个性需求"): marked("只有少数人有的需求，宜按人选学或送学。"),
        marked("来源"): marked("这条短板是谁提出或从哪里得知的；说到课程目录时，指其中的一份课程表。"),
        marked("本人自评"): marked("本人自己写的短板。"),
        marked("组织评价"): marked("组织考察、评议中指出的短板。"),
        marked("测试"): marked("测试成绩低于 60 分的科目。"),
        marked("岗位要求"): marked("没有人写明，但这个岗位需要的内容。"),
        marked("推断"): marked("没有人写明，由其他情况推出来的，分量较轻。"),
        marked("知识空白"): marked("不知道：没有学过这方面的知识。"),
        marked("经验盲区"): marked("没做过：缺少这方面的经历。"),
        marked("能力弱项"): marked("做不好：学过、做过，但还不够强。"),
        marked("分量"): marked("一条缺口有多要紧，0 到 1：严重的、组织评价和测试得出的更大，按岗位推出的较小。"),
    },
    marked("课程和推荐"): {
        marked("课程"): marked("目录中的一门课，写明题目、学时、面向的层级和岗位。"),
        marked("课程目录"): marked("可以安排的全部课程；可以由几份课程表合成。"),
        marked("必修"): marked("规定都要学的课程，单独列出，不参加排序。"),
        marked("学时"): marked("课程的长度；一天按几学时计，由管理员设定。"),
        marked("学时规定"): marked("某一层级的干部一年或五年内应当学满的学时。"),
        marked("备选课程"): marked("对这个人有用的课程，还没有挑选。"),
        marked("推荐课程"): marked("从备选课程中挑出、建议这个人学的，每一门都写明理由。"),
        marked("分数"): marked("一门课对这个人各条缺口的用处之和，只用来排课程的先后，不是对人的评价。"),
        marked("对口的把握"): marked("经办人会认可用这门课补这条缺口的可能性，0 到 1。"),
        marked("词典"): marked("系统认识的能力、说法、层级和岗位。"),
        marked("反馈中可学的"): marked("从采纳、不采纳的记录中整理出来、训练时可以学习的内容。"),
        marked("版本"): marked("按一份课程目录训练出来的推荐程序；可以比较、启用、退回。"),
    },
    marked("方案"): {
        marked("个人方案"): marked("一个人的缺口、推荐课程，以及还补不上的和原因。"),
        marked("方案"): marked("一份名册的安排：上哪些课、谁参加、补上什么、还漏谁、为什么。"),
        marked("班次"): marked("集中办的一期班，如主体班、专题班；各类班次有各自的规定。"),
        marked("课程或系列"): marked("可以排进班次的单位：一门课，或按顺序学完的一个系列。"),
        marked("场次"): marked("班次里开的一门课、一场，有学时和参加的人。"),
        marked("分班"): marked("人多时分成几个班，各班人数适中、层级相近，各有课程。"),
        marked("菜单选学"): marked("开出若干场次，各有名额，每人选其中几场。"),
        marked("结对共建"): marked("两个单位或两个人结成对子，各自补对方的短板。"),
        marked("最优性证明"): marked("说明这个方案离可能的最好方案还差多少：差 0 就是不可能更好。"),
        marked("对照"): marked("用简单办法选课能补上多少，用来看这个方案好在哪里。"),
        marked("漏训"): marked("一个学时也没有学。"),
        marked("弱训"): marked("学了，但不到学时规定的一定比例（通常是一半）。"),
        marked("缺课清单"): marked("有人需要而目录里没有的课程，供联系采购或自行开发。"),
        marked("三张清单"): marked("难题清单（缺什么）、举措清单（怎样补）、责任清单（谁负责、何时完成）。"),
    },
    marked("状态"): {
        marked("状态"): marked("一条短板补到了哪一步。"),
        marked("待补"): marked("还没有安排课程。"),
        marked("已安排"): marked("已采纳一门课程，还没有上。"),
        marked("已学"): marked("已经上过课，还没有测试合格。"),
        marked("已销号"): marked("测试合格（60 分以上，且不低于以前），这条短板销号。"),
        marked("重开"): marked("销号以后的测试又不合格，或评价再次指出，需要重新补。"),
        marked("销号"): marked("短板经测试证明已经补上，从待补的清单中划去。"),
    },
    marked("补不上的原因"): {
        marked("未补上的短板"): marked("没有一门可以参加的课程能补上的短板，写明原因。"),
        marked("原因"): marked("一条短板为什么没有补上，共七种。"),
        marked("目录无课"): marked("课程目录里没有对应的课程。"),
        marked("层级不符"): marked("有对应的课程，但面向其他层级。"),
        marked("学时不足"): marked("有对应的课程，但可用的学时排不下。"),
        marked("名额已满"): marked("有对应的课程，但名额已经用完。"),
        marked("已学过"): marked("对应的课程都已经学过。"),
        marked("被排除"): marked("有对应的课程，但因适用岗位、授课方式不能参加，或被人工停用。"),
        marked("描述不明"): marked("看不出具体要补什么。"),
    },
}  # fmt: skip

MEANINGS = {term: meaning for terms in SUBJECTS.values() for term, meaning in terms.items()}

# What a planner can do about a gap that stays open; the causes in the order of `model.domain.Cause`.
REMEDIES = {
    marked("目录无课"): marked("看缺课清单，联系党校、高校采购或自行开发；也可以请课程管理员补充课程表后重新训练。"),
    marked("层级不符"): marked("先核对名册上的职务和层级；确实需要的，请主办单位放宽对象，或另开一班。"),
    marked("学时不足"): marked("在“补什么”一页增加学时，看多一个学时能多补多少。"),
    marked("名额已满"): marked("增加名额或多开一场，看多一个名额能多补多少。"),
    marked("已学过"): marked("若仍然不会，宜安排练习、跟班、结对，而不是再上同一门课。"),
    marked("被排除"): marked("看这个人是否不能离岗、行动不便；若是人工停用的，可在调整记录中撤销。"),
    marked("描述不明"): marked("请本人或单位写得具体一些，如把“能力不足”写成“不会写调研报告”。"),
}


def meaning(term: str) -> str:
    """What a term means, in the language of the page. KeyError for one that the table does not have."""
    return str(gettext(MEANINGS[term]))
