//! The export as a folder of CSV tables.

use crate::error::Result;
use crate::exchange::{DenseNetwork, csv};
use crate::pipeline::LoadedModel;
use crate::pipeline::export::{Contents, ExportOptions, Format};

pub(super) struct Csv;

impl Format for Csv {
    fn file_name(&self) -> &'static str {
        "csv"
    }

    fn opened_by(&self) -> &'static str {
        "a spreadsheet, `numpy.loadtxt(\"layers.0.weight.csv\", delimiter=\",\", skiprows=1, ndmin=2)`, \
         `pandas.read_csv`, or R's `read.csv`"
    }

    fn write(&self, _: &LoadedModel, network: &DenseNetwork, _: &ExportOptions) -> Result<Contents> {
        csv::write(network).map(Contents::Folder)
    }

    fn read(&self, contents: &Contents) -> Result<Vec<DenseNetwork>> {
        match contents {
            Contents::Folder(files) => Ok(vec![csv::read(files)?]),
            Contents::File(_) => Ok(Vec::new()),
        }
    }
}
