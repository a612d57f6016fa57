"""Makes the workbooks of this folder, each a mess that offices really send. Run once: `python make.py`; the files are committed.

.xls, .ods and calculated formulas need LibreOffice (`soffice`), the protected file needs msoffcrypto-tool; where one of
them is missing its files stay as they are. All names are fictitious.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet

HERE = Path(__file__).parent
CENSUS = ["系统编号", "系统名称", "所属部门", "等保级别", "服务器名称", "服务器IP", "操作系统", "服务器配置"]
SERVERS = ["主机名", "IP地址", "所属部门", "操作系统", "CPU核数", "内存", "磁盘"]
Rows = Sequence[Sequence[object]]


def fill(page: Worksheet, rows: Rows, merges: Sequence[str] = ()) -> None:
    for row in rows:
        page.append(list(row))
    for area in merges:
        page.merge_cells(area)


def book(name: str, rows: Rows, *, sheet: str = "Sheet1", merges: Sequence[str] = (), change: Callable[[Workbook], None] | None = None) -> None:  # fmt: skip
    made = Workbook()
    page = made.active
    assert page is not None
    page.title = sheet
    fill(page, rows, merges)
    if change:
        change(made)
    made.save(HERE / name)


def text(name: str, content: str, encoding: str) -> None:
    (HERE / name).write_bytes(content.encode(encoding))


def office(
    name: str, rows: Rows, *, merges: Sequence[str] = (), change: Callable[[Workbook], None] | None = None
) -> None:
    """The same through LibreOffice: formulas are calculated, and the format is the one of the name's suffix."""
    if shutil.which("soffice") is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in" / f"{Path(name).stem}.xlsx"
        source.parent.mkdir()
        made = Workbook()
        assert made.active is not None
        fill(made.active, rows, merges)
        if change:
            change(made)
        made.save(source)
        kind = Path(name).suffix[1:]
        form = {"xls": "xls:MS Excel 97", "xlsx": "xlsx:Calc MS Excel 2007 XML", "ods": "ods"}[kind]
        profile = f"-env:UserInstallation=file://{folder}/profile"
        subprocess.run(["soffice", profile, "--headless", "--convert-to", form, "--outdir", folder, str(source)], check=True, timeout=180)  # fmt: skip
        shutil.copy(Path(folder) / name, HERE / name)


def headers() -> None:
    book("标题与说明.xlsx", [
        ["政务信息系统普查表"], ["填表说明：请于月底前报送", None, None], ["填报单位（盖章）：", "示例水利局", None, "填报日期：2026年10月8日"], [],
        ["序号", "信息系统名称", "等保定级", "内网IP"], [1, "河道巡查系统", "二级", "10.20.1.1"], [2, "水库调度系统", "三级", "10.20.1.2"],
        ["合计", "2"], [], ["填表人：示例", None, "审核人：示例"], ["以上情况属实，如有变化另行报送"],
    ], merges=["A1:D1", "A2:D2"])  # fmt: skip
    book("双行表头.xlsx", [
        ["序号", "系统名称", "所属部门", "服务器", None, None, "安全", None], [None, None, None, "主机名", "IP地址", "操作系统", "等保级别", "备案编号"],
        [1, "证照系统", "示例审批局", "zz-01", "10.21.1.1", "银河麒麟V10 SP1", "三级", "示例-0001"],
        [2, "大厅系统", "示例审批局", "dt-01", "10.21.1.2", "CentOS 6.5", "二级", "无"],
    ], merges=["A1:A2", "B1:B2", "C1:C2", "D1:F1", "G1:H1"])  # fmt: skip
    book("双行表头未合并.xlsx", [
        ["基本情况", None, "服务器"], ["系统名称", "所属部门", "IP地址", "操作系统"], ["排课系统", "示例教育局", "10.22.1.1", "openEuler 22.03 LTS"],
    ])  # fmt: skip
    book("表头别名.xlsx", [
        ["NO.", "信息系统名称（全称）", "单 位", "＊网络安全等级保护定级", "ＩＰ 地址", "C P U", "内存容量(GB)", "吉祥物"],
        [1, "林区巡护系统", "示例林业局", "第二级", "10.23.1.1", 8, 32, "松鼠"],
    ])  # fmt: skip
    book("英文表头.xlsx", [
        ["System code", "System name", "Department", "MLPS level", "Server", "Server address"],
        ["SL-EN-01", "Visitor system", "示例文旅局", 2, "visitor-01", "10.24.1.1"],
    ])  # fmt: skip
    book("一页两表.xlsx", [
        ["表一 系统情况"], ["系统名称", "所属部门", "等保级别"], ["种业系统", "示例农业局", "二级"], ["农机系统", "示例农业局", "未定级"], [],
        ["表二 服务器情况"], ["服务器名称", "IP地址", "所属部门", "内存"], ["ny-01", "10.25.1.1", "示例农业局", "16G"], [],
    ], merges=["A1:C1"])  # fmt: skip
    book("每页重复表头.xlsx", [
        SERVERS[:4], ["a-01", "10.26.1.1", "示例统计局", "CentOS 7"], SERVERS[:4], ["a-02", "10.26.1.2", "示例统计局", "CentOS 7"],
        ["数据中心机房"], ["a-03", "10.26.1.3", "示例统计局", "CentOS 8"],
    ], merges=["A5:D5"])  # fmt: skip

    def more(made: Workbook) -> None:
        fill(made.create_sheet("服务器"), [SERVERS[:4], ["b-01", "10.27.1.1", "示例司法局", "CentOS 7"]])
        fill(made.create_sheet("填表说明"), [["请逐项填写"], ["联系电话见文件"]])

    book("多个工作表.xlsx", [CENSUS[1:4], ["公证系统", "示例司法局", "二级"]], sheet="系统", change=more)


def cells() -> None:
    book("全角.xlsx", [
        CENSUS, ["ＳＬ－０１", "全角　系统", "示例财政局", "三级", "ｆｉｎ－０１", "１０．２８．１．１", "ＣｅｎｔＯＳ ７．９", "８核１６Ｇ"],
        ["SL-02", "句号系统", "示例财政局", "２级", "fin-02", "10。28。1。2", "统信UOS 20", "16C／64GB"],
    ])  # fmt: skip
    book("配置与容量.xlsx", [
        ["主机名", "IP地址", "所属部门", "配置", "磁盘（T）", "内存"], ["c-01", "10.29.1.1", "示例审计局", "8核16G", 1.5, None],
        ["c-02", "10.29.1.2", "示例审计局", "2*8核 64G", "500G*2", None], ["c-03", "10.29.1.3", "示例审计局", "8核16G500G", None, None],
        ["c-04", "10.29.1.4", "示例审计局", "高配", "500G+1T", "1024M"], ["c-05", "10.29.1.5", "示例审计局", None, "600GB SAS×3", 64],
    ])  # fmt: skip
    book("多个地址.xlsx", [
        CENSUS, ["SL-1", "甲系统", "示例气象局", "", "a、b", "10.30.1.1、10.30.1.2", "", ""], ["SL-2", "乙系统", "示例气象局", "", "", "10.30.1.3；10.30.1.4\n10.30.1.5", "", ""],
        ["SL-3", "丙系统", "示例气象局", "", "", "10.30.1.10-12", "", ""], ["SL-4", "丁系统", "示例气象局", "", "", "10.30.1.20~10.30.1.21", "", ""],
        ["SL-5", "戊系统", "示例气象局", "", "", "10.30.2.0/24", "", ""], ["SL-6", "己系统", "示例气象局", "", "g", "10.30.1.30/24（管理口）", "", ""],
        ["SL-7", "庚系统", "示例气象局", "", "h", "10.30.1.31:8080", "", ""], ["SL-8", "辛系统", "示例气象局", "", "", "10.30.1.40-30", "", ""],
        ["SL-9", "壬系统", "示例气象局", "", "", "10.30.1.300", "", ""], ["SL-10", "癸系统", "示例气象局", "", "x、y、z", "10.30.1.51、10.30.1.52", "", "8核16G"],
    ])  # fmt: skip
    dates = ["2019.9", "2019年9月", "2019年9月3日", "2019/9/3", "20190903", 201909, 43711, 2019.1, "无", "2019-09-03 8:30", "二〇一九年十一月二十三日", "2019-13-01", date(2019, 9, 3), datetime(2019, 9, 3, 8, 30)]  # fmt: skip

    def formats(made: Workbook) -> None:
        page = made.active
        assert page is not None
        page.append(["系统日期空", "示例档案馆", 0])
        page.cell(page.max_row, 3).number_format = "yyyy-mm-dd"

    book(
        "日期.xlsx",
        [["系统名称", "所属部门", "上线时间"], *([f"系统{n}", "示例档案馆", d] for n, d in enumerate(dates, start=1))],
        change=formats,
    )

    def mac(made: Workbook) -> None:
        made.epoch = CALENDAR_MAC_1904
        page = made.active
        assert page is not None
        page.append(["苹果系统一", "示例档案馆", date(2019, 9, 3)])
        page.append(["苹果系统二", "示例档案馆", 42249])

    book("日期1904.xlsx", [["系统名称", "所属部门", "上线时间"]], change=mac)
    yes = ["是", "否", "√", "×", "有", "无", "☑", "□", "☑是 □否", "□是 ☑否", "□是 □否", "Y", "大概", "未接入", True, 1]
    book(
        "是否.xlsx",
        [
            ["系统名称", "所属部门", "是否接入共享交换平台"],
            *([f"系统{n}", "示例商务局", y] for n, y in enumerate(yes, start=1)),
        ],
    )
    levels = [
        "三级",
        "等保三级",
        "第三级",
        "S3A3G3",
        "S2A3",
        "二级（S2A2）",
        3,
        "Ⅲ级",
        "已定级二级",
        "未定级",
        "无",
        "六级",
        "□二级 ☑三级",
    ]
    book(
        "等保.xlsx",
        [["系统名称", "所属部门", "等保级别"], *([f"系统{n}", "示例民宗局", v] for n, v in enumerate(levels, start=1))],
    )
    book("电话与编号.xlsx", [
        ["系统编号", "系统名称", "所属部门", "联系人", "联系电话", "用户数"], [20260001, "一号系统", "示例外事办", "示例甲", 13900000000.0, "1,200人"],
        [1.4010120200101e17, "二号系统", "示例外事办", "示例乙", "0351-0000000", "3.6万"], ["SL 03", "三号系统", "示例外事办", 13900000001.0, None, "约300余人"],
    ])  # fmt: skip


def rows() -> None:
    book("合并单元格.xlsx", [
        CENSUS, ["SL-31", "一体化系统", "示例人社局", "三级", "web", "10.31.1.1", "CentOS 7.9", "8核16G"], [None, None, None, None, "db", "10.31.1.2", None, "16核64G"],
        ["SL-32", "档案系统", None, "二级", "arch", "10.31.1.3", "Windows Server 2012 R2", "4核8G"],
    ], merges=["A2:A3", "B2:B3", "C2:C4", "D2:D3", "G2:G3"])  # fmt: skip
    book("小计.xlsx", [
        ["序号", "系统名称", "所属部门", "用户数"], [1, "甲一系统", "示例残联", 10], [2, "甲二系统", "示例残联", 20], [None, "示例残联小计", None, 30], ["小计", None, None, 30], [3, "合计算力平台", "示例残联", 5],
        ["总计：", None, None, 35], ["注：用户数截至9月"],
    ])  # fmt: skip

    def hide(made: Workbook) -> None:
        page = made.active
        assert page is not None
        page.row_dimensions[3].hidden = True
        page.column_dimensions["D"].hidden = True
        page.auto_filter.ref = "A1:D4"
        hidden = made.create_sheet("去年")
        fill(hidden, [CENSUS[1:4], ["旧系统", "示例体育局", "二级"]])
        hidden.sheet_state = "hidden"

    book(
        "隐藏行.xlsx",
        [
            [*CENSUS[1:4], "用户数"],
            ["场馆系统", "示例体育局", "二级", 10],
            ["赛事系统", "示例体育局", "三级", 20],
            ["报名系统", "示例体育局", "", 30],
        ],
        change=hide,
    )
    book("重复行.xlsx", [
        CENSUS[:6], ["SL-41", "重复系统", "示例医保局", "二级", "", ""], ["SL-41", "重复系统", "示例医保局", "三级", "", ""], ["SL-42", "多机系统", "示例医保局", "二级", "m1", "10.32.1.1"],
        ["SL-42", "多机系统", "示例医保局", "二级", "m2", "10.32.1.2"], ["SL-41", "冒用编号", "示例医保局", "二级", "", ""], ["", "无号系统", "示例医保局", "", "", ""], ["", "无号系统", "示例医保局", "", "", ""],
    ])  # fmt: skip
    book("缺必填.xlsx", [
        SERVERS[:5], ["s-01", "", "示例信访局", "CentOS 7", 4], ["s-02", "不详", "示例信访局", "CentOS 7", 4], ["s-03", "10.33.1.3", "示例信访局", "CentOS 7", "四核"], ["s-04", "10.33.1.4", None, "—", 4],
    ])  # fmt: skip
    book(
        "示例行.xlsx",
        [
            ["序号", "系统名称", "所属部门", "等保级别"],
            ["示例", "某某系统", "某某局", "二级"],
            [1, "真系统", "示例城管局", "二级"],
        ],
    )
    book("四网调查.xlsx", [
        ["单位", "互联网", None, "业务专网", None, "政务外网", None], [None, "线路带宽（Mbps）", "运营商", "线路带宽（Mbps）", "运营商", "线路带宽（Mbps）", "运营商"],
        ["示例海关", 100, "示例电信", "50M", "示例移动", "200", "示例联通"],
    ], merges=["A1:A2", "B1:C1", "D1:E1", "F1:G1"])  # fmt: skip
    book("项目台账.xlsx", [
        ["项目编号", "项目名称", "项目单位", "项目预算（万元）", "合同签订日期", "备案部门"], ["XM-1", "一期项目", "示例科技局", 120.5, date(2025, 3, 4), "示例审批局、示例财政局"], ["XM-2", "二期项目", "示例科技局", "98万元", "2025年6月", "无"],
    ])  # fmt: skip
    book(
        "依赖.xlsx",
        [
            ["需要方", "被依赖方", "强弱", "端口"],
            ["SL-1", "SL-2", "强依赖", 5432],
            ["SL-1", "sl-1", "弱", ""],
            ["SL-3", "SL-2", "一般", 70000],
        ],
    )


def hostile() -> None:
    book("生僻字.xlsx", [
        CENSUS[1:4], ["𠮷祥系统", "示例文物局", "二级"], ["反\u202e向系统", "示例文物局", "二级"], ["零\u200b宽系统", "示例文物局", "二级"], [unicodedata.normalize("NFD", "café系统"), "示例文物局", "二级"],
    ])  # fmt: skip
    book("恶意文字.xlsx", [
        [*SERVERS[:4], "ansible_host", "ansible_ssh_common_args"],
        ["-oProxyCommand=touch canary", "10.34.1.1", "{{ lookup('pipe','touch canary') }}", "$(touch canary)", "10.9.9.9", "-oProxyCommand=touch canary"],
        ["'; DROP TABLE entity;--", "10.34.1.2", "<img src=x onerror=alert(1)>", "../../etc/passwd", "", ""],
    ])  # fmt: skip


def formulas() -> None:
    rows: Rows = [
        ["系统编号", "系统名称", "所属部门", "用户数", "年访问量"], ["SL-51", "公式系统", "示例计量院", "=100+20", "=D2*10"],
        ["SL-52", "出错系统", "示例计量院", "=1/0", "=NA()"], ["SL-53", '="合"&"成系统"', "示例计量院", '=IF(1=1,"","x")', 7],
    ]  # fmt: skip
    office("公式.xlsx", rows)
    book("公式未计算.xlsx", rows)


def formats() -> None:
    office("旧版.xls", [
        ["示例地震局信息系统普查表"], [], CENSUS, ["SL-61", "台网系统", "示例地震局", "三级", "tw-01", "10.35.1.1", "CentOS 6.5", "8核16G"], [None, None, None, None, "tw-02", "10.35.1.2", None, "8核32G"],
    ], merges=["A1:H1", "A4:A5", "B4:B5", "C4:C5", "D4:D5"])  # fmt: skip
    office(
        "开放格式.ods",
        [
            ["系统名称", "所属部门", "等保级别", "上线时间", "用户数"],
            ["盲文系统", "示例图书馆", "二级", date(2020, 5, 6), 1200],
        ],
    )
    book("无宏的.xlsm", [CENSUS[1:4], ["排水系统", "示例住建局", "二级"]])
    lines = "系统编号,系统名称,所属部门,等保级别,服务器IP\n00123,税务系统,示例税务局,二级,10.36.1.1\n00124,发票系统,示例税务局,三级,10.36.1.300\n"
    text("国标编码.csv", lines, "gb18030")
    text("带标记.csv", lines.replace("00123", '="00123"').replace("\n", "\r\n"), "utf-8-sig")
    text("无标记.csv", lines.replace("税务", "𠮷税"), "utf-8")
    text("统一码文本.txt", lines.replace(",", "\t"), "utf-16")
    text("制表符.tsv", lines.replace(",", "\t"), "gb18030")
    text(
        "分号换行.csv",
        '系统名称;所属部门;服务器IP;上线时间\n"热线\n系统";示例热线办;"10.37.1.1\n10.37.1.2";43711\n',
        "gb18030",
    )
    text("其实是文本.xls", lines, "gb18030")
    shutil.copy(HERE / "英文表头.xlsx", HERE / "其实是新格式.xls")
    text("其实是网页.xls", "<html><body><table><tr><td>系统名称</td></tr></table></body></html>", "utf-8")
    text("编码不明.csv", "系统名称,所属部门,等保级别\n", "utf-8")
    with (HERE / "编码不明.csv").open("ab") as file:
        file.write("甲系统,示例局,二级\n".encode() + b"\xff\xff\x80\n")
    if tool := shutil.which("msoffcrypto-tool"):
        subprocess.run(
            [tool, "-e", "-p", "example", str(HERE / "英文表头.xlsx"), str(HERE / "有密码.xlsx")], check=True
        )


if __name__ == "__main__":
    for part in (headers, cells, rows, hostile, formulas, formats):
        part()
