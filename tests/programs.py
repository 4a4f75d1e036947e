"""Programs that hypothesis makes up: lines of Python which run in both frameworks, with `fw` for either.

A line is drawn for what the variables hold, so each is run in torch as soon as it is drawn. Lines that torch refuses
stay in: minigrad has to refuse them too.
"""

import contextlib
import itertools
import re
import warnings

import numpy as np
import torch
from hypothesis import strategies as st

SHAPES = [(), (1,), (3,), (3,), (2, 3), (2, 3), (2, 1), (3, 3), (2, 2, 3)]
DTYPES = [*["float32"] * 5, *["float64"] * 2, "float16", "int64", "int32", "uint8", "bool"]
NUMBERS = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0]
LENGTH = 14

COMPUTE = """
{a}.exp()  {a}.tanh()  {a}.sigmoid()  {a}.relu()  {a}.abs()  -{a}  {a}.sqrt()  {a}.log()  {a}.square()  {a}.sin()
{a}.clamp(-1,2)  {a}.clamp(min=0.5)  {a}.sign()  {a}.floor()  {a}.reciprocal()  {a}.rsqrt()  {a}.clone()
{a}.contiguous()  {a}.softmax(-1)  {a}.cumsum(0)  {a}.flip(0)  {a}.roll(1)  {a}.repeat(2)  {a}.isnan()  {a}*1
{a}*{n}  {n}-{a}  {a}-{n}  {a}+{n}  {a}/{n}  {a}**2  {a}**{n}  {n}/{a}  {a}//{i}  {a}%{i}  2**{a}  {a}>{n}  {a}=={n}
{a}*{i}  {a}+{i}  {i}-{a}  {a}/{i}  fw.nn.functional.leaky_relu({a},0.1)  fw.nn.functional.softplus({a})  {a}+{b}
{a}-{b}  {a}*{b}  {a}/{b}  {a}*{a}  {a}+{a}  {a}@{b}  {a}>{b}  fw.maximum({a},{b})  fw.minimum({a},{b})
fw.where({a}>0,{a},{b})  fw.where({a}>0,{b},{n})  fw.stack([{a},{b}])  fw.cat([{a},{b}])  fw.cat([{a},{a}],-1)
fw.lerp({a},{b},0.25)  fw.addcmul({a},{b},{c})  {a}.add({b},alpha=2)  fw.nn.functional.mse_loss({a},{b})
{a}*{b}+{c}  {a}.masked_fill({b}>0,{n})  {a}.dot({b})  fw.outer({a},{b})  fw.zeros_like({a})  {a}.pow({b})
{a}.sum()  {a}.sum({d})  {a}.mean()  {a}.mean({d},keepdim=True)  {a}.max()  {a}.max({d})[0]  {a}.min({d})[0]
{a}.amax({d})  {a}.prod()  {a}.prod({d})  {a}.norm()  {a}.var()  {a}.std({d})  {a}.argmax()  {a}.all()  {a}.any()
{a}.logsumexp({d})  True-{a}  {a}.sub(True)  {a}.median()  {a}.sort(-1)[0]  {a}.topk(1)[0]  {a}[[0]]
{a}[fw.tensor([0,0])]  {a}[{a}>0]  {a}[...,[0,-1]]
{a}.gather(0,fw.zeros_like({a}).long())  {a}.index_select(0,fw.tensor([0]))
fw.nn.functional.pad({a},(1,0))  {a}.tril()
""".split()
VIEWS = """
{a}[0]  {a}[-1]  {a}[1:]  {a}[:1]  {a}[::2]  {a}[...,:2]  {a}[...,None]  {a}[...,0]  {a}[None]  {a}[...]  {a}[1:1]
{a}.t()  {a}.mT  {a}.view(-1)  {a}.reshape(-1)  {a}.flatten()  {a}.ravel()  {a}.unsqueeze(0)  {a}.unsqueeze(-1)
{a}.squeeze()  {a}.squeeze(0)  {a}.expand(2,*{a}.shape)  {a}.expand_as({b})  {a}.transpose(0,-1)  {a}.movedim(0,-1)
{a}.diagonal()  {a}.unbind()[0]  {a}.unbind()[-1]  {a}.split(1)[0]  {a}.split([1,2])[1]  {a}.chunk(2)[-1]
{a}.tensor_split(2)[0]  {a}.narrow(0,0,1)  {a}.select(0,-1)  {a}.unfold(0,2,1)  {a}.unfold(0,1,1)  {a}[fw.tensor(0)]
{a}.view_as({b})  {a}.reshape_as({b})  {a}.detach()  {a}.detach()[0]  {a}.data  {a}.contiguous()  {a}.float()
{a}.broadcast_to((2,*{a}.shape))  {a}.view({a}.shape)  {a}.unflatten(0,(1,-1))  list({a})[0]
{a}.view({a}.shape[::-1])  {a}.view({a}.dtype)
{a}.permute(tuple(range({a}.ndim)[::-1]))  {a}.transpose(-1,-2)  {a}.swapaxes(0,-1)  {a}.real
""".split()
RESHAPE = "{a}.unsqueeze_(0) {a}.squeeze_() {a}.t_() {a}.transpose_(0,-1)".split()
CONVERSIONS = "float half double long int bool".split()
WRITES = """
{a}.add_({b})  {a}.add_({b})  {a}.sub_({b})  {a}.mul_({b})  {a}.mul_({b})  {a}.div_({b})  {a}.copy_({b})
{a}.add_({n})  {a}.mul_({n})  {a}.mul_({i})  {a}.div_({n})  {a}.pow_(2)  {a}.zero_()  {a}.fill_({n})  {a}.fill_({b})
{a}+={b}  {a}*={b}  {a}-={n}  {a}*={i}  {a}/={b}  {a}**=2  {a}//={i}  {a}[0]={b}  {a}[0]={n}  {a}[...,1:]={b}
{a}[...,:1]={n}  {a}[{a}>0]={n}  {a}[[0]]={b}  {a}[fw.tensor([0,-1])]={n}  {a}[...]={b}  {a}[{a}>0]*=2  {a}[0]+={b}
{a}[1:]*={n}  {a}.relu_()  {a}.tanh_()  {a}.exp_()  {a}.sigmoid_()  {a}.neg_()  {a}.abs_()  {a}.sqrt_()
{a}.clamp_(-1,1)  {a}.square_()  {a}.masked_fill_({a}>0,{n})  {a}.masked_fill_({b}>0,{n})  {a}.addcmul_({b},{c})
{a}.lerp_({b},0.5)  {a}.sub_({b},alpha=2)  {a}.detach().add_(1)  {a}.data.mul_(2)  {a}.view(-1).mul_({n})
{a}.t().add_({b})  {a}.unsqueeze_(0)  {a}.squeeze_()  {a}.grad.zero_()  {a}.grad.mul_(2)  {a}.t_()
{a}.transpose_(0,-1)  {a}.square_()  {a}.addmm_({b},{c})  {a}.mul_({a})  {a}.add_({a})
{a}[:1].copy_({b})  {a}.unsqueeze(0).sub_({b})  {a}.diagonal().fill_({n})  {a}.unfold(0,2,2).mul_(2)
{a}.flatten()[0]={n}  {a}.expand_as({b}).add_(1)  {a}.split(1)[0].add_(1)
{a}.scatter_(0,fw.tensor([0]),{n})  {a}.lt_({b})  {a}.ge_({n})  {a}.eq_({b})  {a}.logical_not_()  {a}.logical_and_({b})
{a}.cumsum_(0)  {a}.cumprod_(-1)  {a}-=True  {a}.floor_divide_({b})
""".split()
GRAPH = """
{a}.sum().backward()  {a}.sum().backward()  {a}.sum().backward(retain_graph=True)
{a}.sum().backward(retain_graph=True)  ({a}*{a}).sum().backward()  {a}.backward(fw.ones_like({a}))
{a}.backward({b}.clone())  {a}.sum().backward(inputs=[{b}])  {a}.backward()  ({a}*{b}).sum().backward()
{a}.sum().backward(create_graph=True)  {a}.retain_grad()  {a}.retain_grad()  {a}.register_hook(lambda_g:2*g)
{a}.register_hook(lambda_g:seen.append(g.clone()))  {a}.register_hook(lambda_g:g.clamp(-1,1))  {a}.requires_grad_()
{a}.requires_grad_()  {a}.requires_grad_(False)  {a}.detach_()  {a}.grad=None  {a}.grad={b}  str({a})  {a}.grad_fn
{a}.tolist()  {a}.register_post_accumulate_grad_hook(seen.append)
""".split()
GRADIENTS = """
fw.autograd.grad({a}.sum(),{b})[0]  fw.autograd.grad({a}.sum(),{b},retain_graph=True)[0]  {a}.grad
fw.autograd.grad(({a}*{a}).sum(),{b},create_graph=True)[0]
fw.autograd.grad({a},{b},fw.ones_like({a}),create_graph=True)[0]
fw.autograd.grad({a}.sum(),[{b},{c}],retain_graph=True,allow_unused=True)[1]
""".split()
KINDS = [COMPUTE] * 8 + [VIEWS] * 6 + [WRITES] * 6 + [GRAPH] * 4 + [GRADIENTS] + [CONVERSIONS]


STRICTER = ["more than one element of the written-to tensor refers to a single memory location"]
ALLOWED = [  # where torch refuses, and minigrad may compute: see docs/differences.md
    "not implemented for",
    "does not support bool",
    "elements of the input tensor and the written-to tensor",
    "Boolean inputs not supported",
    *STRICTER,
    "backward through the graph a second time",
    "Can't detach views in-place",
    "derivative for aten::floor_divide",
    "ZeroDivisionError",
]


def overlap(a, b):
    """Whether two tensors share memory, but not element by element."""
    a, b = values(a), values(b)
    return np.may_share_memory(a, b) and (a.ctypes.data, a.shape, a.strides) != (b.ctypes.data, b.shape, b.strides)


class Run:
    """A program while it runs in one framework: its variables, ``v0``, ``v1`` …, and what hooks have seen."""

    def __init__(self, fw):
        self.fw, self.seen = fw, []
        self.names = {"fw": fw, "seen": self.seen, "nan": float("nan"), "inf": float("inf")}

    def line(self, text):
        """Run a line; the error that it raises, if any."""
        try:
            exec(text, self.names)
        except Exception as error:
            return error
        return None

    def variables(self):
        return {name: v for name, v in self.names.items() if name[0] == "v" and isinstance(v, self.fw.Tensor)}


@st.composite
def programs(draw):
    run, lines, count = Run(torch), [], itertools.count()

    def add(text, target=True, quiet=False):
        text = text.replace("lambda_g", "lambda g")
        text = f"v{next(count)}={text}" if target else text
        lines.append(f"with fw.no_grad(): {text}" if quiet else text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run.line(lines[-1])

    special = draw(st.sampled_from([[], [], [float("nan"), float("inf"), -float("inf")]]))
    for _ in range(draw(st.integers(1, 3))):
        shape, dtype = draw(st.sampled_from(SHAPES)), draw(st.sampled_from(DTYPES))
        values = st.sampled_from(NUMBERS + (special if dtype.startswith("float") else []))
        if dtype in ("uint8", "bool"):
            values = values.map(abs)
        content = np.array([draw(values) for _ in range(int(np.prod(shape)))]).reshape(shape).tolist()
        tracked = dtype.startswith("float") and draw(st.integers(0, 3)) > 0
        add(f"fw.tensor({content},dtype=fw.{dtype}{',requires_grad=True' if tracked else ''})")
    for _ in range(draw(st.integers(2, LENGTH))):
        known = run.variables()
        parts = {key: draw(st.sampled_from(list(known))) for key in "abc"}
        parts |= {"n": draw(st.sampled_from(NUMBERS)), "i": draw(st.sampled_from([-1, 2, 3]))}
        parts["d"] = draw(st.sampled_from([0, -1]))
        kind = draw(st.sampled_from(KINDS))
        text = draw(st.sampled_from(kind))
        text = f"{{a}}.{text}()" if kind is CONVERSIONS else f"{text}.clone()" if kind is GRADIENTS else text
        quiet = draw(st.integers(0, 7)) == 0
        if undefined(kind, text, quiet, *(known[parts[key]] for key in "abc")):
            continue
        add(text.format(**parts), kind not in (WRITES, GRAPH), quiet)
    return lines


def undefined(kind, text, quiet, a, b, c):
    """Whether what a line gives depends on the machine, or is one of the differences on the page.

    Integers take floats that they can't hold; what is written shares memory with what is read;
    a result gets another shape, and its gradient does not; running totals of booleans are written into booleans.
    Torch crashes where a hook is registered for a view that was written to.
    """
    if "_hook" in text and a._is_view() and a._version:
        return True
    if (quiet and text in RESHAPE and a.requires_grad) or ("cum" in text and kind is WRITES and a.dtype is torch.bool):
        return True
    given = [x for name, x in {"b": b, "c": c}.items() if f"{{{name}}}" in text]
    whole = "addmm_" not in text and ".t()" not in text  # else it may not be read while it is written
    if kind is WRITES and any(overlap(a, x) or (x is a and not whole) for x in given):
        return True
    source = None
    if text.endswith((".long()", ".int()")):
        source = a
    elif not a.dtype.is_floating_point and ("=" in text or "_(" in text):
        source = b
    if source is None or not source.dtype.is_floating_point:
        return False
    values = source.data.double().numpy()
    if not np.isfinite(values).all():
        return True
    whole = np.abs(values - np.round(values))
    return not ((np.abs(values) < 100).all() and ((whole == 0) | (whole > 0.01)).all())


def values(tensor):
    """Its values; reading them so leaves no trace in the graph or in memory."""
    return tensor.data.numpy() if isinstance(tensor, torch.Tensor) else tensor.array


def facts(tensor):
    """What has to be equal without rounding."""
    return str(tensor.dtype).partition(".")[2], tensor.requires_grad, tuple(tensor.shape)


def difference(lines):
    """The first line after which the frameworks differ, and in what; None if they do not."""
    return compared(lines)[0]


def compared(lines):
    """`difference`, and how many lines were compared: a program ends where torch refuses to write and minigrad may."""
    with contextlib.ExitStack() as context:
        return _compared(lines, context)


def _compared(lines, context):
    import minigrad

    theirs, ours, errors = Run(torch), Run(minigrad), Errors()
    for i, line in enumerate(lines):
        wanted, found = theirs.line(line), ours.line(line)
        if "modified by an inplace" in str(wanted) and found is None:
            context.enter_context(torch.autograd.graph.allow_mutation_on_saved_tensors())  # for all that follows
            theirs = Run(torch)
            for earlier in lines[: i + 1]:
                wanted = theirs.line(earlier)
        if wanted is not None and any(words in str(wanted) for words in ALLOWED):
            target = re.match(r"v\d+(?==[^=])", line)
            if target is None:  # it may have written a part
                return None, i
            ours.names.pop(target[0], None)
            continue
        if found is not None and "modified by an inplace" in str(wanted):  # backward may have got to some leaves
            return None, i
        if found is not None and wanted is None and any(words in str(found) for words in STRICTER):
            return None, i
        if (wanted is None) != (found is None) or not alike(wanted, found):
            return (line, f"torch: {wanted!r:.300}", f"minigrad: {found!r:.300}"), i
        pairs = [(t, ours.names.get(name)) for name, t in theirs.names.items() if isinstance(t, torch.Tensor)]
        if any(tracked_integers(t) or laid_out_otherwise(t, o) for t, o in pairs):
            return None, i  # torch lets integers require a gradient after a write; layouts: docs/differences.md
        errors.join(line)
        if what := unlike(theirs, ours, errors):
            return (line, *what), i
    return None, len(lines)


def alike(wanted, found):
    """Whether two errors are of one kind."""
    if "its base or another view of its base has been modified" in str(wanted):
        return True  # torch says so before it looks at the arguments
    return wanted is None or isinstance(wanted, type(found)) or isinstance(found, type(wanted))


class Errors:
    """How far rounding may have taken the variables: those that met in a line share the coarsest dtype and size."""

    def __init__(self):
        self.group = {}

    def join(self, line):
        met = [self.of(name) for name in re.findall(r"\bv\d+", line)]
        if met:
            joined = {"tolerance": max(g["tolerance"] for g in met), "size": max(g["size"] for g in met)}
            for name, group in self.group.items():
                if any(group is g for g in met):
                    self.group[name] = joined

    def worst(self):
        return {key: max((g[key] for g in self.group.values()), default=0.0) for key in ("tolerance", "size")}

    def of(self, name):
        return self.group.setdefault(name, {"tolerance": 0.0, "size": 1.0})


def laid_out_otherwise(theirs, ours):
    """Whether a dimension of size 1 has led to another order in memory."""
    try:
        wide = [i for i, n in enumerate(theirs.shape) if n > 1]
        return 1 in theirs.shape and [theirs.stride(i) for i in wide] != [ours.stride(i) for i in wide]
    except (AttributeError, RuntimeError, TypeError):  # a view that is refused
        return False


def tracked_integers(tensor):
    try:
        return tensor.requires_grad and not tensor.dtype.is_floating_point
    except RuntimeError:  # a view that torch refuses
        return False


def unlike(theirs, ours, errors):
    """What differs between two runs so far."""
    pairs = [(name, t, ours.names.get(name)) for name, t in theirs.names.items()]
    pairs += [(f"{name}.grad", grad_of(t), grad_of(o)) for name, t, o in pairs if name[0] == "v"]
    pairs += [(f"seen[{i}]", *two) for i, two in enumerate(itertools.zip_longest(theirs.seen, ours.seen))]
    floats = {"float16": 1e-2, "float32": 1e-4, "float64": 1e-10}
    for name, t, o in pairs:
        if not isinstance(t, torch.Tensor):
            if name[0] == "v" and (t is None) != (o is None):
                return name, f"{t} {o}"
            continue
        if o is None or facts(t) != facts(o):
            return name, f"torch: {t}", f"minigrad: {o}", facts(t), o is not None and facts(o)
        x, y = values(t), values(o)
        kind = str(x.dtype)
        scale = errors.of(name.removesuffix(".grad")) if name[0] == "v" else errors.worst()
        if kind in floats:
            scale["tolerance"] = max(scale["tolerance"], floats[kind])
            scale["size"] = max(scale["size"], np.abs(x[np.isfinite(x)]).max(initial=0))
        tolerance = scale["tolerance"] if kind in floats else 0
        with np.errstate(all="ignore"):
            if not np.allclose(y, x, rtol=tolerance, atol=tolerance * scale["size"], equal_nan=True):
                return name, f"torch: {x}", f"minigrad: {y}"
    return None


def grad_of(tensor):
    try:
        return tensor.grad if tensor.is_leaf or tensor.retains_grad else None
    except (AttributeError, RuntimeError):  # no tensor; a view that torch refuses
        return None
