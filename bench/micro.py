"""The micro-benchmarks that lie beside their sources, and their peers in Python. Each checks itself before it is timed."""
import json
import subprocess

import common
from common import Missing, Row, Wrong

# Names of benchmarks, as ROOM_bench/NAME; /0 is the best instruction set of this machine.
RBF, RBF_ONE, FOREST, ADDITIVE = "model/BM_Rbf/0", "model/BM_RbfOneRow/0", "model/BM_Forest/0", "model/BM_Additive/0"
BOOSTED, XGBOOST, CSV = "learn/BM_Ours/1", "learn/BM_XgboostInPlace/1", "features/CsvToFloatMatrix"
SHOWN = ("model/BM_Rbf/[0-9]", RBF_ONE, FOREST, ADDITIVE, BOOSTED, XGBOOST, CSV)


def run_all(folder, min_seconds, repetitions):
    """Medians of the micro-benchmarks that the table shows, by ROOM/NAME; and what went wrong. The others are run by hand."""
    found, wrong = {}, []
    for binary in sorted(common.PROGRAM.parent.glob("*_bench")):
        room = binary.name.removesuffix("_bench")
        names = [name.partition("/")[2] for name in SHOWN if name.startswith(f"{room}/")]
        if not names:
            continue
        out = folder / f"{binary.name}.json"
        common.say(f"{binary.name} ...")
        done = subprocess.run([binary, "--benchmark_filter=" + "|".join(f"^{name}$" for name in names),
                               f"--benchmark_min_time={min_seconds}", f"--benchmark_repetitions={max(repetitions, 3)}",
                               "--benchmark_report_aggregates_only=true", "--benchmark_out_format=json",
                               f"--benchmark_out={out}"], check=False, capture_output=True, text=True)
        if done.returncode != 0 or not out.read_text():
            wrong.append(f"{binary.name}: {done.stderr.strip().splitlines()[-1:]}")
            continue
        for one in json.loads(out.read_text())["benchmarks"]:
            if one.get("error_occurred"):
                if "no such target" not in one["error_message"]:
                    wrong.append(f"{room}/{one['name']}: {one['error_message']}")
            elif one.get("aggregate_name") == "median":
                found[f"{room}/{one['run_name']}"] = one
    return found, wrong


def rate(found, name, key="items_per_second"):
    return found[name].get(key) if name in found else None


def against(what, ours, unit, peer, peer_name, times, limit, better=lambda a, b: a / b):
    ratio = better(ours, peer) if ours and peer else None
    return Row(what, ours, unit, peer, peer_name if peer else "", ratio, limit,
               None if ratio is None or not limit else ratio >= times)


def check_original(scikit):
    """The original's model, fitted by us, says what scikit-learn says of the same rows."""
    rows = common.customers().read_text().splitlines()[:1001]
    scored = json.loads(common.dropscore("score", "-", "--model", common.model("original"),
                                         stdin="\n".join(rows).encode()))["predictions"]
    worst = max(abs(one["probability_conversion"] - p) for one, p in zip(scored, scikit["probabilities"]))
    if len(scored) != 1000 or worst > 1e-3:
        raise Wrong(f"the original's model differs from scikit-learn's by {worst:.2g}")
    return worst


def rows(found, times, notes):
    scikit, libsvm, onnx = {}, {}, {}
    try:
        scikit = common.peer_figures("scikit.py", common.customers(), times)
        notes.append(f"the original's model, fitted by us, is within {check_original(scikit):.1g} of scikit-learn's")
    except Missing as missing:
        notes.append(f"scikit-learn, pandas: {missing}")
    try:
        onnx = common.onnx_figures(common.model("svm"), times)
        if onnx["worst_difference"] > 0.1:
            raise Wrong(f"onnxruntime's decisions differ by {onnx['worst_difference']:.2g}")
        notes.append(f"onnxruntime's decision values are within {onnx['worst_difference']:.1g} of double precision's")
    except Missing as missing:
        notes.append(f"onnxruntime: {missing}")
    try:
        libsvm = common.peer_figures("libsvm.py", common.customers(), times)
    except Missing as missing:
        notes.append(f"LIBSVM: {missing}")
    one_row = rate(found, RBF_ONE)
    one_row_us = 1e6 / one_row if one_row else None
    rbf = rate(found, RBF)
    label = found.get(RBF, {}).get("label", "")
    wide = label.startswith("AVX3")
    yield against(f"RBF SVM, 1,685 support vectors x 16, one core, {label}", rbf, "rows/s",
                  scikit.get("svm_rows_per_second"), "predict_proba", 55 if wide else 27.5,
                  "55 times (aim 100)" if wide else "27.5 times (aim 50)")
    narrow = next((one for name, one in found.items()
                   if name.startswith("model/BM_Rbf/") and one.get("label") == "AVX2"), None)
    if wide and narrow:
        yield against("the same, AVX2", narrow["items_per_second"], "rows/s", scikit.get("svm_rows_per_second"),
                      "predict_proba", 27.5, "27.5 times (aim 50)")
    yield against("the same, against svm-predict (whole command)", rbf, "rows/s", libsvm.get("rows_per_second"),
                  "LIBSVM", 0, "")
    yield against("the same, against onnxruntime-node", rbf, "rows/s", onnx.get("rows_per_second"), "SVMRegressor", 0,
                  "")
    peer_us = scikit["svm_one_row_seconds"] * 1e6 if scikit else None
    yield Row("the same, one row in process", one_row_us, "us", peer_us, "predict_proba" if peer_us else "",
              peer_us / one_row_us if peer_us and one_row_us else None, "2 us (aim 1)",
              None if one_row_us is None else one_row_us <= 2)
    forest = rate(found, FOREST)
    yield Row("forest of 100 trees, depth 20, one core", forest, "rows/s", scikit.get("forest_rows_per_second"),
              "scikit-learn" if scikit else "", forest / scikit["forest_rows_per_second"] if scikit and forest else None,
              "0.6 M rows/s (aim 1.0 M)", None if forest is None else forest >= 600_000)
    yield against("boosted trees, one thread", rate(found, BOOSTED), "rows/s", rate(found, XGBOOST), "XGBoost, in place", 3,
                  "3 times (aim 8)")
    additive = rate(found, ADDITIVE)
    yield Row("additive model, one core", additive, "rows/s", limit="20 M rows/s (aim 50 M)",
              met=None if additive is None else additive >= 20e6)
    csv, pandas = rate(found, CSV, "bytes_per_second"), scikit.get("read_csv_bytes_per_second")
    yield Row("CSV -> float matrix, one core", csv and csv / 1e6, "MB/s", pandas and pandas / 1e6,
              "pandas.read_csv" if pandas else "", csv / pandas if csv and pandas else None, "800 MB/s (aim 1,500)",
              None if csv is None else csv >= 800e6)
