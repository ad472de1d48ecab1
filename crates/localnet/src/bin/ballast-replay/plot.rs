//! The plot: price, open interest, insurance and deleveraging over time, a line per market.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::{coord::Shift, prelude::*};

use crate::{record::Sample, report::Report};

const SIZE: (u32, u32) = (1_100, 1_300);
const COLOURS: [RGBColor; 6] = [
    RGBColor(230, 126, 34),
    RGBColor(52, 92, 190),
    RGBColor(130, 60, 180),
    RGBColor(200, 40, 50),
    RGBColor(30, 140, 90),
    RGBColor(90, 90, 90),
];

/// One panel: its title, and what it shows of a sample, given the market's first one.
type Panel = (&'static str, fn(&Sample, &Sample) -> f64);

const PANELS: [Panel; 4] = [
    ("Price (% of the first)", |sample, first| 100.0 * sample.price_usd / first.price_usd),
    ("Open interest ($ thousands at the mark)", |sample, _| sample.open_interest as f64 * sample.mark as f64 / 1e9),
    ("Drawn from insurance ($ thousands)", |sample, first| {
        (sample.insurance_drawn - first.insurance_drawn) as f64 / 1e9
    }),
    ("Deleveraged (% of the first open interest)", |sample, first| {
        100.0 * (sample.deleveraged_lots - first.deleveraged_lots) as f64 / first.open_interest.max(1) as f64
    }),
];

/// Draws the report's samples into an SVG file.
pub fn draw(path: &Path, report: &Report) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let failed = |error: &dyn std::fmt::Display| anyhow!("draw {}: {error}", path.display());
    let canvas = SVGBackend::new(path, SIZE).into_drawing_area();
    canvas.fill(&WHITE).map_err(|error| failed(&error))?;
    for (area, panel) in canvas.split_evenly((PANELS.len(), 1)).iter().zip(PANELS) {
        draw_panel(area, panel, report).map_err(|error| failed(&error))?;
    }
    canvas.present().map_err(|error| failed(&error))
}

fn draw_panel(area: &DrawingArea<SVGBackend, Shift>, (title, value): Panel, report: &Report) -> Result<()> {
    let lines: Vec<(&str, Vec<(i64, f64)>)> = report
        .markets
        .iter()
        .filter_map(|market| {
            let first = market.samples.first()?;
            let points = market.samples.iter().map(|sample| (sample.unix_s, value(sample, first)));
            Some((market.symbol.as_str(), points.collect()))
        })
        .collect();
    let points = || lines.iter().flat_map(|(_, points)| points);
    let (from, to) = (points().map(|p| p.0).min().unwrap_or(0), points().map(|p| p.0).max().unwrap_or(1));
    let most = points().map(|p| p.1).fold(1.0, f64::max) * 1.05;
    let failed = |error: &dyn std::fmt::Display| anyhow!("{error}");
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 16))
        .margin(10)
        .x_label_area_size(24)
        .y_label_area_size(56)
        .build_cartesian_2d(from..to.max(from + 1), 0.0..most)
        .map_err(|error| failed(&error))?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(RGBColor(225, 225, 225))
        .x_labels(9)
        .x_label_formatter(&|unix_s| clock(*unix_s))
        .draw()
        .map_err(|error| failed(&error))?;
    for ((symbol, points), colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        chart
            .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))
            .map_err(|error| failed(&error))?
            .label(*symbol)
            .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(RGBColor(200, 200, 200))
        .draw()
        .map_err(|error| failed(&error))
}

/// Hours and minutes of UTC.
fn clock(unix_s: i64) -> String {
    let minutes = unix_s.div_euclid(60).rem_euclid(24 * 60);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}
