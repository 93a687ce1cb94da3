//! Owns the Python programs in the model card. Must not know the figures.

use crate::exchange::DenseNetwork;
use crate::exchange::hugging_face::{ONNX, SAFETENSORS};
use crate::model::Activation;

/// Program for ONNX Runtime.
pub(super) fn onnx(network: &DenseNetwork) -> String {
    format!(
        "```python\n\
         import json\n\
         import numpy as np\n\
         import onnxruntime\n\
         from PIL import Image\n\
         \n\
         {}\
         session = onnxruntime.InferenceSession(\"{ONNX}\")\n\
         (probabilities,) = session.run([\"probabilities\"], {{\"images\": images}})\n\
         names = json.load(open(\"config.json\", encoding=\"utf-8\"))[\"id2label\"]\n\
         best = probabilities[0].argmax()\n\
         print(names[str(best)], probabilities[0, best])\n\
         ```\n",
        images(network)
    )
}

/// Program for PyTorch.
pub(super) fn pytorch(network: &DenseNetwork) -> String {
    let mut parts = vec!["nn.Flatten()".to_owned()];
    for (index, layer) in network.layers.iter().enumerate() {
        if index > 0 {
            parts.extend(network.activation.map(module));
        }
        parts.push(format!("nn.Linear({}, {})", layer.inputs, layer.outputs));
    }
    format!(
        "```python\n\
         import numpy as np\n\
         import torch\n\
         from PIL import Image\n\
         from safetensors.torch import load_file\n\
         from torch import nn\n\
         \n\
         {}\
         model = nn.Sequential(\n    {},\n)\n\
         model.load_state_dict(load_file(\"{SAFETENSORS}\"))\n\
         with torch.no_grad():\n    probabilities = model(torch.from_numpy(images)).softmax(1)\n\
         print(probabilities[0].argmax().item(), probabilities[0].max().item())\n\
         ```\n",
        images(network),
        parts.join(",\n    ")
    )
}

/// Lines that read one picture: `images` has the shape `[1, height, width]`, or `[1, pixels]` if the
/// size of the images is not known.
fn images(network: &DenseNetwork) -> String {
    match network.metadata.image_size {
        Some((height, width)) => format!(
            "picture = Image.open(\"picture.png\").convert(\"L\").resize(({width}, {height}))\n\
             images = np.asarray(picture, dtype=np.float32)[None] / 255\n"
        ),
        None => format!(
            "pixels = np.asarray(Image.open(\"picture.png\").convert(\"L\"), dtype=np.float32)\n\
             images = pixels.reshape(1, {}) / 255\n",
            network.num_inputs()
        ),
    }
}

/// PyTorch's module of an activation.
fn module(activation: Activation) -> String {
    match activation {
        Activation::Relu => "nn.ReLU()".to_owned(),
        Activation::LeakyRelu { slope } => format!("nn.LeakyReLU({slope:?})"),
        Activation::Gelu => "nn.GELU()".to_owned(),
        Activation::Silu => "nn.SiLU()".to_owned(),
        Activation::Sigmoid => "nn.Sigmoid()".to_owned(),
        Activation::Tanh => "nn.Tanh()".to_owned(),
    }
}
