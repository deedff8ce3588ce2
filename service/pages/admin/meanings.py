"""What each setting means, in the words of whoever looks after the service, and what of its value may be seen."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext

from service.settings import Setting
from service.wire.languages import marked

# What opens something, and addresses, which may hold a password.
SECRET = {"SECRET", "SIGNING_KEY", "EMBEDDINGS_KEY", "DATABASE_URL", "RATE_LIMIT_STORAGE", "EMBEDDINGS_URL"}

MEANINGS = {
    "REGISTRY": marked("存放训练版本的文件夹"),
    "DATABASE_URL": marked("数据库的地址；未设置时用训练版本旁边的 SQLite 文件"),
    "SECRET": marked("生成摘要和登录状态用的密码串，至少 32 个字符；未设置时用文件中的"),
    "SECRET_FILE": marked("存放这个密码串的文件；空白时在训练版本旁边自动生成"),
    "SIGNING_KEY": marked("为训练版本加封用的密码串，至少 32 个字符；未设置时用文件中的"),
    "SIGNING_KEY_FILE": marked("存放加封密码串的文件；空白时不加封"),
    "KEEP_VERSIONS": marked("保留最新的几个版本（启用的和可退回的另外保留）；0 为全部保留"),
    "GATE_QUALITY": marked("新版本的排序质量最多下降多少，可以不写理由就启用"),
    "GATE_UNMET": marked("新版本中由补得上变为补不上的短板最多占多少，可以不写理由就启用"),
    "GATE_CHANGED": marked("新版本中首选课程改变的人最多占多少，可以不写理由就启用；1 为只告知"),
    "TRUSTED_PROXIES": marked("服务前面有几层可信的代理"),
    "RATE_LIMIT": marked("一个密钥或账号每分钟最多请求几次；排一次方案或一个批次算一百次"),
    "RATE_LIMIT_STORAGE": marked("请求次数记在哪里；未设置时各进程自己记"),
    "IDEMPOTENCY_HOURS": marked("重复请求的答复保留几小时"),
    "PLAN_DAYS": marked("保存的方案留存几天；0 为不自动删除"),
    "DESK_HOURS": marked("工作台上的名册和结果，不用几小时后自动清除"),
    "JOB_HOURS": marked("任务结束后，结果保留几小时"),
    "TOP": marked("没有另外说明时，为每人推荐几门课"),
    "LEVEL_WINDOW": marked("人员的层级最多可以超出课程对象几级；0 为不可超出"),
    "HOURS_PER_DAY": marked("一天按几学时计，各地规定为 6、7.5 或 8"),
    "DEFAULT_HOURS": marked("课程表没有写学时的课程，在方案中按几学时计"),
    "COST_PER_HOUR": marked("有经费限制的方案中，一学时的讲课费（元）"),
    "COST_PER_PERSON_DAY": marked("有经费限制的方案中，一人一天的费用（元）"),
    "QUOTAS": marked("核对哪几条学时规定（编号，用逗号分开）；空白时用规定表中启用的"),
    "WEAK_SHARE": marked("学时不到规定的百分之几算弱训"),
    "MAX_COHORT": marked("多少人以内的名册当场算完，超过的转为任务"),
    "MAX_BATCH": marked("一次批量请求最多几人"),
    "MAX_BATCH_MB": marked("批量请求和名册文件最大几 MB"),
    "LEARN": marked("训练时是否学习采纳、不采纳的记录（1 学习，0 不学习）"),
    "LOG_LEVEL": marked("运行日志从哪一级记起：debug、info、warning、error"),
    "MAX_BODY_MB": marked("其他请求最大几 MB"),
    "EMBEDDINGS_URL": marked("计算句子向量的外部服务；未设置时用自带的"),
    "EMBEDDINGS_MODEL": marked("外部服务的模型名称"),
    "EMBEDDINGS_KEY": marked("访问外部服务的密钥"),
    "EMBEDDINGS_TIMEOUT": marked("等待外部服务的秒数"),
}

# What tables outside of the pages call things: roles, axes of a heat map, types of classes and what each asks for, stages of a training. It is said here so that the catalogue has it.
ELSEWHERE = (
    *(marked("查询"), marked("培训计划"), marked("课程目录"), marked("管理")),
    *(marked("单位"), marked("层级")),
    *(marked("主体班"), marked("中青班"), marked("任职班"), marked("专题班"), marked("研讨班"), marked("网络班")),
    marked("理论教育＋党性教育不低于 70%，党性教育不低于 20%，并按学制安排党的创新理论教学单元或模块"),
    *(marked("同主体班，另至少一门实践教学"), marked("按学制安排党的创新理论教学单元或模块")),
    *(marked("至少一门党的创新理论专门课程"), marked("不附加规则")),
    *(marked("读取课程表"), marked("学习短板的说法"), marked("校准匹配度"), marked("评价效果"), marked("理解课程")),
    *(marked("保存版本"), marked("启用前的检查")),
)


def told_of(setting: Setting, value: Any) -> str:
    """The value in force as it may be shown."""
    if value in ("", setting.default) and (setting.name in SECRET or value == ""):
        return str(gettext("未设置"))
    return str(gettext("已设置")) if setting.name in SECRET else str(value)
