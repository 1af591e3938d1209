//! From the names and layouts of the authors' Keras files to ours. The layers' numbers differ from file to file.

use crate::{LoadError, Tensors};

pub(super) fn convert(keras: Tensors) -> Result<Tensors, LoadError> {
    let mut keras = numbered(keras);
    let mut ours = Tensors::default();
    ours.insert("embedding.weight".into(), keras.take("embedding/embeddings:0")?);
    for (layer, path) in [("conv1d", "conv"), ("dense_0", "dense"), ("dense_1", "output")] {
        ours.insert(format!("{path}.weight"), keras.take(&format!("{layer}/kernel:0"))?.reverse_axes());
        ours.insert(format!("{path}.bias"), keras.take(&format!("{layer}/bias:0"))?);
    }
    for direction in ["forward", "backward"] {
        let layer = format!("bidirectional/{direction}_lstm");
        let path = format!("bilstm.{direction}");
        ours.insert(format!("{path}.weight_ih"), keras.take(&format!("{layer}/kernel:0"))?.reverse_axes());
        ours.insert(
            format!("{path}.weight_hh"),
            keras.take(&format!("{layer}/recurrent_kernel:0"))?.reverse_axes(),
        );
        ours.insert(format!("{path}.bias"), keras.take(&format!("{layer}/bias:0"))?);
    }
    keras.expect_empty()?;
    Ok(ours)
}

/// `conv1d_52/kernel:0` becomes `conv1d/kernel:0`; the two dense layers become `dense_0` and `dense_1` in the order
/// of their numbers.
fn numbered(keras: Tensors) -> Tensors {
    let number = |name: &str| -> Option<u32> { name.strip_prefix("dense_")?.split('/').next()?.parse().ok() };
    let first = keras.names().filter_map(number).min();
    let rename = |name: String| -> String {
        if let Some(found) = number(&name) {
            let index = u8::from(Some(found) != first);
            let rest = name.split_once('/').map_or("", |(_, rest)| rest);
            return format!("dense_{index}/{rest}");
        }
        let parts: Vec<&str> = name
            .split('/')
            .map(|part| {
                part.rsplit_once('_')
                    .filter(|(_, end)| end.parse::<u32>().is_ok())
                    .map_or(part, |(start, _)| start)
            })
            .collect();
        parts.join("/")
    };
    keras.into_iter().map(|(name, array)| (rename(name), array)).collect()
}
