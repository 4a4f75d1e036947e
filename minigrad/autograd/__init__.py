"""Gradients of given outputs, grad modes, custom operations, and checks of gradients.

https://docs.pytorch.org/docs/stable/autograd.html
"""

from minigrad.autograd import function as function
from minigrad.autograd.anomaly import detect_anomaly as detect_anomaly
from minigrad.autograd.anomaly import is_anomaly_enabled as is_anomaly_enabled
from minigrad.autograd.anomaly import set_detect_anomaly as set_detect_anomaly
from minigrad.autograd.derivatives import backward as backward
from minigrad.autograd.derivatives import grad as grad
from minigrad.autograd.function import Function as Function
from minigrad.autograd.gradcheck import gradcheck as gradcheck
from minigrad.autograd.gradcheck import gradgradcheck as gradgradcheck
from minigrad.autograd.modes import enable_grad as enable_grad
from minigrad.autograd.modes import inference_mode as inference_mode
from minigrad.autograd.modes import is_grad_enabled as is_grad_enabled
from minigrad.autograd.modes import no_grad as no_grad
from minigrad.autograd.modes import set_grad_enabled as set_grad_enabled
