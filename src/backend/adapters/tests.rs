use super::*;

#[test]
fn adapters_are_numbered_through_and_counted_by_kind() {
    use AdapterKind::{Cpu, Discrete, Integrated, Other};
    let found = || {
        let named =
            [("a", Integrated), ("b", Discrete), ("c", Cpu), ("d", Cpu), ("e", Discrete), ("f", Other)];
        named.map(|(name, kind)| (name.to_owned(), kind)).to_vec()
    };
    let adapters = number(found(), "Vulkan", Some(4), None);
    let names: Vec<_> = adapters.iter().map(|adapter| (adapter.number, adapter.name.as_str())).collect();
    assert_eq!(names, [(0, "a"), (1, "b"), (2, "c"), (3, "e")]);
    assert_eq!(adapters[3].device_kind(), DeviceKind::DiscreteGpu(1));
    assert_eq!(adapters[2].device_kind(), DeviceKind::Cpu);
    let defaults = |adapters: &[Adapter]| -> Vec<usize> {
        adapters.iter().filter(|adapter| adapter.is_default).map(|adapter| adapter.number).collect()
    };
    assert_eq!(defaults(&adapters), [3]);
    assert_eq!(defaults(&number(found(), "Vulkan", Some(4), Some("DiscreteGpu(0)"))), [1]);
    assert_eq!(adapters[3].to_string(), "3: e, discrete GPU, Vulkan, the default");
    let unknown = number(found(), "Gl", Some(5), None);
    assert_eq!(
        unknown.last().map(|adapter| (adapter.number, adapter.device_kind())),
        Some((4, DeviceKind::DefaultDevice))
    );
}
