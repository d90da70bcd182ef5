// The name of the program, drawn and not typed.
import QtQuick
import QtQuick.Controls.impl
import Paluku

IconImage {
    source: "qrc:/icons/wordmark.svg"
    sourceSize.height: height
    fillMode: Image.PreserveAspectFit
    color: Theme.indigo
    Accessible.role: Accessible.Graphic
    Accessible.name: "Paluku"
}
