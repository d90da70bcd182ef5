// The models: the one in use, the others, and the way to add one. Files are used where they lie.
pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Templates as T
import Paluku
import PalukuApp

FocusScope {
    id: page

    required property LibraryController library
    required property string homeText
    property bool sidebarAway: false
    signal sidebarWanted()
    signal closed()
    signal addWanted()

    PageHeader {
        id: header

        width: page.width
        title: qsTr("Models")
        sidebarAway: page.sidebarAway
        closable: true
        onSidebarWanted: page.sidebarWanted()
        onClosed: page.closed()

        Button {
            id: add

            focus: true
            iconName: "add"
            kind: Button.Plain
            text: qsTr("Add a model…")
            onClicked: page.addWanted()
        }
    }
    Flickable {
        id: scroll

        anchors.top: header.bottom
        anchors.bottom: page.bottom
        width: page.width
        contentWidth: width
        contentHeight: column.height
        clip: true
        boundsBehavior: Flickable.StopAtBounds
        T.ScrollBar.vertical: ScrollBar {}

        Column {
            id: column

            x: (scroll.width - width) / 2
            width: Math.min(Theme.pageWidth, scroll.width - 2 * Theme.s16)
            topPadding: Theme.s24
            bottomPadding: Theme.s24
            spacing: Theme.s12

            InlineError {
                width: parent.width
                visible: page.library.problem.length > 0
                text: page.library.problem
                closable: true
                onClosed: page.library.dismissProblem()
            }
            UiText {
                width: parent.width
                wrapMode: Text.Wrap
                role: Theme.label
                color: Theme.ink2
                text: qsTr("Paluku runs DeepSeek models in .gguf files. A file stays where it is; it is never copied or changed.")
            }
            Column {
                width: parent.width
                visible: page.library.loading
                spacing: Theme.s8

                ProgressLine {
                    width: parent.width
                    value: page.library.loadProgress
                    Accessible.name: page.library.loadText
                }
                UiText {
                    role: Theme.caption
                    color: Theme.ink3
                    text: page.library.loadText
                }
            }
            Repeater {
                model: page.library.models

                ModelRow {
                    width: column.width
                    library: page.library
                    homeText: page.homeText
                }
            }
        }
    }
}
